//! A pod that is reached late, by a relay in its path: where the kernel has no `tc netem`, a program on the pod's node
//! takes the packets that come for it from other nodes and holds them for a while.

use std::net::IpAddr;
use std::time::Duration;

use xtask::supplies::{self, released};

use crate::cluster::function::Replica;
use crate::cluster::machine::{Machine, Program};
use crate::cluster::running::Running;

/// Its name in the record and in logs.
const RELAY: &str = "relay";

/// The kernel's queue for its packets: nothing else on a node uses one.
const QUEUE: &str = "1";

pub(super) fn build() -> anyhow::Result<()> {
    supplies::build("steadfaas-e2e-relay", RELAY).map(drop)
}

pub(super) fn start(running: &Running, target: &Replica, delay: Duration) -> anyhow::Result<()> {
    let node = running.machine(&target.node)?;
    let relay = Program::new(RELAY, released(RELAY)).args([QUEUE.to_owned(), delay.as_millis().to_string()]);
    node.start_program(&relay, running.records()?)?;
    rule(&node, "-A", target.address().ip())
}

pub(super) fn end(running: &Running, node: &str, pod: IpAddr) -> anyhow::Result<()> {
    let node = running.machine(node)?;
    // First the rule, so that what the relay holds still goes on.
    let removed = rule(&node, "-D", pod);
    node.stop_program(RELAY, running.records()?)?;
    removed
}

/// What is forwarded to the pod goes to the queue; where no relay reads that, on its way.
fn rule(node: &Machine, action: &str, pod: IpAddr) -> anyhow::Result<()> {
    let to_queue = format!("-j NFQUEUE --queue-num {QUEUE} --queue-bypass");
    let words = format!("--wait -t mangle {action} FORWARD -d {pod}/32 {to_queue}");
    node.run("iptables", &words.split(' ').collect::<Vec<_>>()).map(drop)
}
