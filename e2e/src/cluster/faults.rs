//! Faults that strike a replica on a cluster, and what takes each back.

use super::control;
use super::function::Replica;
use super::running::Running;

/// What happens to a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its container's processes get SIGKILL, as when memory is short: what is in flight is lost, new connections are
    /// refused. The kubelet starts another container in the same pod a second or so later.
    KillContainer,
    /// Its container is frozen by its cgroup: connections are accepted by the kernel, and nothing answers.
    FreezeContainer,
    /// Its pod is deleted: it is told to end, and another pod is made elsewhere or here.
    DeletePod,
    /// Its node's link is down: what is sent there is lost, and nobody says so.
    LoseNode,
}

impl Fault {
    /// Strikes.
    ///
    /// # Errors
    /// The replica isn't there any more.
    pub fn strike(self, running: &Running, replica: &Replica) -> anyhow::Result<()> {
        match self {
            Self::KillContainer => ctr(running, replica, &["kill", "--signal=SIGKILL"]),
            Self::FreezeContainer => ctr(running, replica, &["pause"]),
            Self::DeletePod => {
                let pod = format!("pod/{}", replica.pod);
                running.kubectl().run(&["delete", &pod, "--wait=false"]).map(drop)
            }
            Self::LoseNode => link(running, replica, "down"),
        }
    }

    /// Takes it back, where that doesn't happen by itself.
    ///
    /// # Errors
    /// The replica isn't there any more.
    pub fn undo(self, running: &Running, replica: &Replica) -> anyhow::Result<()> {
        match self {
            Self::KillContainer | Self::DeletePod => Ok(()),
            Self::FreezeContainer => ctr(running, replica, &["resume"]),
            Self::LoseNode => link(running, replica, "up"),
        }
    }
}

/// What containerd of the replica's node is to do with its container.
fn ctr(running: &Running, replica: &Replica, words: &[&str]) -> anyhow::Result<()> {
    let words =
        ["--namespace=k8s.io", "tasks"].into_iter().chain(words.iter().copied()).chain([&*replica.container]);
    running.machine(&replica.node)?.run("ctr", &words.collect::<Vec<_>>()).map(drop)
}

/// The end of the node's link that is on the control plane's bridge: the node itself sees its other end go down too.
fn link(running: &Running, replica: &Replica, state: &str) -> anyhow::Result<()> {
    running.machine(control::NAME)?.ip(&format!("link set {} {state}", replica.node)).map(drop)
}
