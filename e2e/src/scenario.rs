//! What all scenarios on a cluster share: a load on a function, a fault that strikes one of its replicas, and what was
//! felt of it, without steadfaas and with it.

mod felt;
mod settled;
mod trial;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::Value;

pub use felt::Felt;

use crate::cluster::faults::Fault;
use crate::cluster::running::Running;

/// How many replicas a function has.
pub const REPLICAS: usize = 2;

/// What protects the function in the trials that must not fail a request.
const PROTECTED: [&[&str]; 2] = [&["strategy: active-standby"], &["strategy: request-replication"]];

/// A function, and the way of its clients to it.
pub trait Stage: Sync {
    /// Makes its replicas anew, without steadfaas: a container that is killed again and again is started ever later.
    ///
    /// # Errors
    /// They don't get ready.
    fn set(&self, running: &Running) -> anyhow::Result<Scene>;

    /// The EnvoyFilters that protect it, with these keys of a functions file. Each has the label of
    /// [`crate::envoy_filter::LABEL`], by which it is removed.
    ///
    /// # Errors
    /// `steadfaas` can't be had, or refuses the keys.
    fn filters(&self, scene: &Scene, keys: &[&str]) -> anyhow::Result<Value>;
}

/// A function that is ready, as its clients see it.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The network namespace in which the clients are, as a file.
    pub network: PathBuf,
    /// Where their requests go.
    pub target: SocketAddr,
    /// The `host` of their requests.
    pub host: String,
    /// The label of the function's pods.
    pub pods: String,
    /// The Service whose endpoints are the function's replicas, in the namespace `default`.
    pub service: String,
}

/// Without steadfaas, then with it.
///
/// # Errors
/// Something doesn't start, nothing answers, or a request fails with steadfaas.
pub fn run(running: &Running, stage: &dyn Stage, fault: Fault) -> anyhow::Result<()> {
    println!("{:<34} {}", "without steadfaas", trial::trial(running, stage, fault, None)?);
    for keys in PROTECTED {
        let (name, felt) = (keys.join(", "), trial::trial(running, stage, fault, Some(keys))?);
        println!("{name:<34} {felt}");
        anyhow::ensure!(felt.seen.failed == 0, "with {name} requests failed: {:?}", felt.seen.status);
    }
    Ok(())
}
