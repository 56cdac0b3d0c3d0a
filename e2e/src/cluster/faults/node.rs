//! Faults of a node: its link, its kubelet, its pods' leave to be there.

use crate::cluster::control;
use crate::cluster::running::Running;

/// Pods of the test bed are told to end and gone within 2 s.
const DRAIN_LIMIT: &str = "--timeout=30s";

/// A kubelet says some seconds after its start that its node is ready.
const READY_SECONDS: u32 = 60;

/// Its name in the record.
const KUBELET: &str = "kubelet";

pub(super) fn lose(running: &Running, node: &str) -> anyhow::Result<()> {
    link(running, node, "down")
}

pub(super) fn find_again(running: &Running, node: &str) -> anyhow::Result<()> {
    link(running, node, "up")
}

/// The end of the node's link that is on the control plane's bridge: the node itself sees its other end go down too.
fn link(running: &Running, node: &str, state: &str) -> anyhow::Result<()> {
    running.machine(control::NAME)?.ip(&format!("link set {node} {state}")).map(drop)
}

pub(super) fn stop_kubelet(running: &Running, node: &str) -> anyhow::Result<()> {
    running.machine(node)?.stop_program(KUBELET, running.records()?)
}

pub(super) fn start_kubelet(running: &Running, node: &str) -> anyhow::Result<()> {
    running.machine(node)?.start_again(KUBELET, running.records()?)?;
    running.kubectl().wait(&["--for=condition=Ready", &format!("node/{node}")], READY_SECONDS)
}

pub(super) fn drain(running: &Running, node: &str) -> anyhow::Result<()> {
    let words = ["drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", DRAIN_LIMIT];
    running.kubectl().run(&words).map(drop)
}

pub(super) fn uncordon(running: &Running, node: &str) -> anyhow::Result<()> {
    running.kubectl().run(&["uncordon", node]).map(drop)
}
