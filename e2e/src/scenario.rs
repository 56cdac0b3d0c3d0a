//! What all scenarios on a cluster share: a load on a function, a fault that strikes one of its replicas, and what was
//! felt of it, without steadfaas and with it.

pub mod catalogue;
mod felt;
mod interrupted;
mod report;
mod settled;
mod tables;
mod trial;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use steadfaas_tests::load::Load;

pub use catalogue::Scenario;
pub use felt::{Felt, Moments};
pub use interrupted::Interrupted;
pub use report::{Report, Trial};

use crate::cluster::layers::Layer;
use crate::cluster::proxy::Proxy;
use crate::cluster::running::Running;
use crate::envoy_filter;

/// How many replicas a function has.
pub const REPLICAS: usize = 2;

/// What a function is called with, where nothing stands before it that has a path of its own.
pub const PATH: &str = "/?n=15";

/// What protects a function in the trials that must not fail a request, unless its stage says something else.
const PROTECTED: [&[&str]; 2] = [&["strategy: active-standby"], &["strategy: request-replication"]];

/// A function, and the way of its clients to it.
pub trait Stage: Sync {
    /// What it needs on top of Kubernetes.
    fn layers(&self) -> &'static [Layer];

    /// Makes its replicas anew, without steadfaas: a container that is killed again and again is started ever later.
    ///
    /// # Errors
    /// They don't get ready.
    fn set(&self, running: &Running) -> anyhow::Result<Scene>;

    /// What its clients send, made of GETs of the scene's path.
    fn load(&self, load: Load) -> Load {
        load
    }

    /// Protects it, with these keys of a functions file.
    ///
    /// # Errors
    /// `steadfaas` can't be had, or refuses the keys.
    fn protect(&self, running: &Running, scene: &Scene, keys: &[&str]) -> anyhow::Result<()>;

    /// Protects it no more: where it never was, nothing happens.
    ///
    /// # Errors
    /// The cluster refuses.
    fn unprotect(&self, running: &Running) -> anyhow::Result<()> {
        envoy_filter::remove(running.kubectl())
    }

    /// What protects it in the trials that must not fail a request, trial by trial.
    fn protections(&self) -> &'static [&'static [&'static str]] {
        &PROTECTED
    }

    /// Looks at what is left of a trial in which no request failed.
    ///
    /// # Errors
    /// It isn't what clients were told.
    fn check(&self, _running: &Running, _felt: &Felt) -> anyhow::Result<()> {
        Ok(())
    }

    /// Takes away what [`set`](Self::set) made.
    ///
    /// # Errors
    /// It can't be taken away.
    fn clear(&self, running: &Running) -> anyhow::Result<()>;

    /// Whose Envoy sends the clients' requests on.
    fn proxy(&self) -> Proxy;
}

/// A function that is ready, as its clients see it.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The network namespace in which the clients are, as a file; none: this command's own.
    pub network: Option<PathBuf>,
    /// Where their requests go.
    pub target: SocketAddr,
    /// The `host` of their requests.
    pub host: String,
    /// Path and query of their requests.
    pub path: String,
    /// The function's namespace.
    pub namespace: String,
    /// The label of its pods.
    pub pods: String,
    /// The Service whose endpoints are its replicas.
    pub service: String,
}

/// Without steadfaas, then with it. The report has what was felt until an error came.
///
/// # Errors
/// Something doesn't start, nothing answers, or with steadfaas a request fails or leaves something wrong behind.
pub fn run(
    running: &Running,
    scenario: &Scenario,
    protected: &[Vec<String>],
    report: &mut Report,
) -> anyhow::Result<()> {
    scenario.fault.prepare()?;
    report.add("without steadfaas", trial::trial(running, scenario, None)?);
    for keys in protected {
        let (name, keys) = (keys.join(", "), keys.iter().map(String::as_str).collect::<Vec<_>>());
        let felt = trial::of_protection(running, scenario, &keys)?;
        let (failed, status) = (trial::failed(&felt, scenario), felt.seen.status.clone());
        let told = felt.told(trial::STRUCK_AT);
        let checked = if failed == 0 { scenario.stage.check(running, &felt) } else { Ok(()) };
        report.add(&name, felt);
        anyhow::ensure!(failed == 0, "with {name} {failed} requests failed: {status:?}{told}");
        checked.with_context(|| format!("with {name}"))?;
    }
    Ok(())
}

/// Takes away what it made: its EnvoyFilters, and what its stage set.
///
/// # Errors
/// Something can't be taken away.
pub fn clear(running: &Running, scenario: &Scenario) -> anyhow::Result<()> {
    scenario.stage.unprotect(running)?;
    scenario.stage.clear(running)
}
