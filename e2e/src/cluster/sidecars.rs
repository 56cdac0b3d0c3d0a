//! Sidecars: pods that ask for one get it from the real istiod, and an `istio-init` that leads their traffic through it.

use std::thread;
use std::time::Instant;

use xtask::command::say;

use super::running::Running;
use super::up::joined;
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
    let machines = running.machines()?;
    let workers = machines.iter().filter(|machine| ![control::NAME, "system"].contains(&machine.name()));
    thread::scope(|scope| {
        let bringing: Vec<_> = workers.map(|worker| scope.spawn(|| istio::bring_proxy(worker))).collect();
        bringing.into_iter().try_for_each(joined)
    })?;
    let kubectl = running.kubectl();
    kubectl.apply(OBJECTS)?;
    let certificate = "--for=jsonpath={.webhooks[0].clientConfig.caBundle}";
    kubectl.wait(&[certificate, "mutatingwebhookconfiguration/istio-sidecar-injector"], READY_SECONDS)?;
    running.records()?.add_layer(LAYER)?;
    say(&format!("sidecars are injected after {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}
