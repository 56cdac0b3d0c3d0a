//! Faults of a pod, by the API server.

use crate::cluster::function::Replica;
use crate::cluster::running::Running;

/// Gives a Deployment of the namespace `default` so many replicas.
pub(super) fn scale(running: &Running, deployment: &str, replicas: u32) -> anyhow::Result<()> {
    let (deployment, replicas) = (format!("deployment/{deployment}"), format!("--replicas={replicas}"));
    running.kubectl().run(&["scale", &deployment, &replicas]).map(drop)
}

pub(super) fn delete(running: &Running, target: &Replica) -> anyhow::Result<()> {
    let pod = format!("pod/{}", target.pod);
    running.kubectl().run(&["delete", &pod, "--wait=false"]).map(drop)
}
