//! `steadfaas install` and `steadfaas uninstall`.

use std::time::Duration;

use clap::Args;

use super::cluster::Cluster;
use super::output::write;
use super::render::Installation;
use super::{CliError, Outcome};
use crate::access::Access;
use crate::envoy_filter::Contexts;
use crate::filter;
use crate::install::{InstallError, Item, Wanted, apply, remove, wait, wait_for_controller};
use crate::manifest::objects;

/// What an installation is made of.
#[derive(Debug, Args)]
struct Parts {
    #[command(flatten)]
    installation: Installation,
    /// Which proxies protect functions: gateway, sidecar or both
    #[arg(long, value_name = "WHICH", default_value_t)]
    proxies: Contexts,
    /// How long to wait for the proxies at the most
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    #[command(flatten)]
    cluster: Cluster,
}

/// What `steadfaas install` is told.
#[derive(Debug, Args)]
pub(super) struct Install {
    #[command(flatten)]
    parts: Parts,
    /// Only ask the API server whether it would take the objects
    #[arg(long)]
    dry_run: bool,
}

/// What `steadfaas uninstall` is told.
#[derive(Debug, Args)]
pub(super) struct Uninstall {
    #[command(flatten)]
    parts: Parts,
}

/// Applies the objects, and waits until the gateways have the filter.
pub(super) fn install(arguments: &Install) -> Result<Outcome, CliError> {
    let items = arguments.parts.items()?;
    arguments.parts.cluster.run(async |access| {
        let verb = if arguments.dry_run { "would apply" } else { "applied" };
        apply(&access, &items, arguments.dry_run, |item| told(verb, item)).await?;
        if !arguments.dry_run {
            arguments.parts.wait(&access).await?;
        }
        Ok(Outcome::Well)
    })
}

/// Takes the objects away, and all that the controller wrote.
pub(super) fn uninstall(arguments: &Uninstall) -> Result<Outcome, CliError> {
    let items = arguments.parts.items()?;
    arguments.parts.cluster.run(async |access| {
        remove(&access, &items, arguments.parts.patience(), |item| told("deleted", item)).await?;
        write("nothing of steadfaas is left but the annotations that functions' owners wrote\n")?;
        Ok(Outcome::Well)
    })
}

impl Parts {
    fn items(&self) -> Result<Vec<Item>, InstallError> {
        let objects = objects(&self.installation.options(self.proxies), filter::MODULE);
        objects.iter().map(Item::read).collect()
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    async fn wait(&self, access: &Access) -> Result<(), CliError> {
        let gateways = wait(access, Wanted::Filter, self.patience()).await?;
        wait_for_controller(access, self.patience()).await?;
        let have = match gateways {
            0 => "there is no gateway yet; one that comes will have the filter".to_owned(),
            1 => "the gateway has the filter and the controller runs".to_owned(),
            several => format!("all {several} gateways have the filter and the controller runs"),
        };
        write(&format!("{have}: `steadfaas protect NAME --strategy active-standby` protects a function\n"))
    }
}

fn told(verb: &str, item: &str) {
    eprintln!("{verb} {item}");
}
