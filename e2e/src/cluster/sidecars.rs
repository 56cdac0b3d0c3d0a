//! Sidecars: pods that ask for one get it from the real istiod, and an `istio-init` that leads their traffic through it.

use std::time::Instant;

use xtask::command::say;

use super::running::Running;
use super::{control, istio};

/// What `up` and the record call it.
pub const LAYER: &str = "sidecars";

/// Which pods istiod is asked about.
const OBJECTS: &str = include_str!("../../cluster/sidecars.yaml");

/// istiod writes its certificate into the webhook within a second.
const READY_SECONDS: u32 = 60;

/// Puts injection on a cluster that has Istio but not this.
///
/// # Errors
/// Something is missing or doesn't work.
pub fn add(running: &Running) -> anyhow::Result<()> {
    if running.records()?.read().with.iter().any(|layer| layer == LAYER) {
        return Ok(());
    }
    let began = Instant::now();
    let mut workers = running.machines()?;
    workers.retain(|machine| ![control::NAME, "system"].contains(&machine.name()));
    istio::bring_proxy(running, &workers)?;
    let kubectl = running.kubectl();
    kubectl.apply(OBJECTS)?;
    let certificate = "--for=jsonpath={.webhooks[0].clientConfig.caBundle}";
    kubectl.wait(&[certificate, "mutatingwebhookconfiguration/istio-sidecar-injector"], READY_SECONDS)?;
    running.records()?.add_layer(LAYER)?;
    say(&format!("sidecars are injected after {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}
