//! Faults of a container, by the containerd of its node.

use crate::cluster::function::Replica;
use crate::cluster::running::Running;

pub(super) fn kill(running: &Running, target: &Replica) -> anyhow::Result<()> {
    ctr(running, &target.node, &["kill", "--signal=SIGKILL", &target.container])
}

pub(super) fn freeze(running: &Running, target: &Replica) -> anyhow::Result<()> {
    ctr(running, &target.node, &["pause", &target.container])
}

pub(super) fn thaw(running: &Running, node: &str, container: &str) -> anyhow::Result<()> {
    ctr(running, node, &["resume", container])
}

fn ctr(running: &Running, node: &str, words: &[&str]) -> anyhow::Result<()> {
    let words: Vec<&str> = ["--namespace=k8s.io", "tasks"].into_iter().chain(words.iter().copied()).collect();
    running.machine(node)?.run("ctr", &words).map(drop)
}
