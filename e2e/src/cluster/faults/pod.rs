//! Faults of a pod, by the API server.

use crate::cluster::function::Replica;
use crate::cluster::running::Running;

pub(super) fn delete(running: &Running, target: &Replica) -> anyhow::Result<()> {
    let pod = format!("pod/{}", target.pod);
    running.kubectl().run(&["delete", &pod, "--wait=false"]).map(drop)
}
