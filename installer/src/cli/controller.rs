//! `steadfaas controller`: what the Deployment in the manifest runs.

use std::net::SocketAddr;

use clap::Args;

use super::CliError;
use super::cluster::Cluster;
use crate::controller::{self, DEFAULT_LISTEN, SILENCE, Settings};
use crate::envoy_filter::{Contexts, DEFAULT_ROOT_NAMESPACE, IstioVersion};
use crate::function::DEFAULT_DOMAIN;

/// What the controller is started with.
#[derive(Debug, Args)]
pub(super) struct Controller {
    #[command(flatten)]
    cluster: Cluster,
    /// Where istiod reads EnvoyFilters for all proxies: its meshConfig.rootNamespace
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ROOT_NAMESPACE)]
    root_namespace: String,
    /// The name by which it holds its Lease
    #[arg(long, value_name = "NAME", env = "POD_NAME", default_value = "steadfaas")]
    identity: String,
    /// The cluster's DNS domain
    #[arg(long, value_name = "DOMAIN", default_value = DEFAULT_DOMAIN)]
    domain: String,
    /// The oldest Istio that reads the EnvoyFilters
    #[arg(long, value_name = "V", default_value_t = IstioVersion::DEFAULT)]
    istio_version: IstioVersion,
    /// Which proxies protect functions: gateway, sidecar or both
    #[arg(long, value_name = "WHICH", default_value_t)]
    proxies: Contexts,
    /// Where metrics and health are asked for
    #[arg(long, value_name = "ADDR", default_value_t = DEFAULT_LISTEN)]
    listen: SocketAddr,
}

/// Runs it until it is told to end.
pub(super) fn run(arguments: &Controller) -> Result<(), CliError> {
    tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::stderr).init();
    arguments.cluster.run_on_while_heard(SILENCE, async |access| {
        let settings = Settings {
            root_namespace: arguments.root_namespace.clone(),
            namespace: access.namespace,
            identity: arguments.identity.clone(),
            domain: arguments.domain.clone(),
            istio: arguments.istio_version,
            contexts: arguments.proxies,
            listen: arguments.listen,
        };
        Ok(controller::run(access.client, settings).await?)
    })
}
