//! `steadfaas render`: every object of an installation, for `kubectl apply -f -` or a repository.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::CliError;
use super::output::write;
use crate::envoy_filter::{Contexts, DEFAULT_ROOT_NAMESPACE, IstioVersion};
use crate::filter;
use crate::function::DEFAULT_DOMAIN;
use crate::manifest::{DEFAULT_IMAGE, Options, objects};

/// What an installation depends on.
#[derive(Debug, Args)]
pub(super) struct Render {
    #[command(flatten)]
    installation: Installation,
    /// Which proxies protect functions: gateway, sidecar or both
    #[arg(long = "context", value_name = "WHICH", default_value_t)]
    proxies: Contexts,
    /// In which format
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    output: Format,
}

/// What an installation depends on.
#[derive(Debug, Args)]
pub(super) struct Installation {
    /// The oldest Istio that reads it
    #[arg(long, value_name = "V", default_value_t = IstioVersion::DEFAULT)]
    istio_version: IstioVersion,
    /// Where istiod reads EnvoyFilters for all proxies: its meshConfig.rootNamespace
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ROOT_NAMESPACE)]
    root_namespace: String,
    /// The cluster's DNS domain
    #[arg(long, value_name = "DOMAIN", default_value = DEFAULT_DOMAIN)]
    domain: String,
    /// The controller's image
    #[arg(long, value_name = "NAME", default_value = DEFAULT_IMAGE)]
    image: String,
    /// Tell clients, by the header x-steadfaas, what was done for their request
    #[arg(long)]
    response_header: bool,
}

/// A format for kubectl.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One document for each object
    Yaml,
    /// A List
    Json,
}

impl Installation {
    /// For these proxies: where a kubeconfig is read, `--context` is one of its contexts.
    pub(super) fn options(&self, proxies: Contexts) -> Options {
        Options {
            istio: self.istio_version,
            contexts: proxies,
            root_namespace: self.root_namespace.clone(),
            domain: self.domain.clone(),
            image: self.image.clone(),
            response_header: self.response_header,
        }
    }
}

/// Prints them.
pub(super) fn run(arguments: &Render) -> Result<(), CliError> {
    let objects = objects(&arguments.installation.options(arguments.proxies), filter::MODULE);
    write(&match arguments.output {
        Format::Yaml => yaml(&objects)?,
        Format::Json => {
            serde_json::to_string_pretty(&json!({ "apiVersion": "v1", "kind": "List", "items": objects }))?
                + "\n"
        }
    })
}

fn yaml(objects: &[Value]) -> Result<String, CliError> {
    // The module is one line of 200,000 characters: it must not be wrapped into a thousand.
    let style = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!(
        "# steadfaas {version}, made by `steadfaas render`. Apply it with: kubectl apply -f steadfaas.yaml\n"
    );
    for object in objects {
        text += "---\n";
        text += &serde_saphyr::to_string_with_options(object, style.clone())?;
    }
    Ok(text)
}
