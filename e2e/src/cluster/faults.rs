//! Faults that strike a cluster.

use super::function::Replica;
use super::running::Running;

/// Kills the processes of a replica's container with SIGKILL, as the kernel does when memory is short. What is in flight
/// is lost, new connections are refused. Nothing needs to be undone: the kubelet notices within a second or so and
/// starts another container in the same pod.
///
/// # Errors
/// It doesn't run any more.
pub fn kill_container(running: &Running, replica: &Replica) -> anyhow::Result<()> {
    let node = running.machine(&replica.node)?;
    node.run("ctr", &["--namespace=k8s.io", "tasks", "kill", "--signal=SIGKILL", &replica.container])
        .map(drop)
}
