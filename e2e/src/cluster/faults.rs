//! Faults that strike a replica, its node or the control plane: each with its effect and what takes it back.
//!
//! [`Fault::strike`] returns an [`InForce`]: the fault is taken back when that is dropped, so that a trial that fails in
//! between leaves none. What a killed command couldn't take back is written down, and [`take_back`] does it.

mod container;
mod in_force;
mod node;
mod outage;
mod pod;
mod relay;
mod silence;
mod undo;

use std::time::Duration;

use super::control::programs;
use super::function::Replica;
use super::running::Running;
use super::{istio, steadfaas};

pub use in_force::{InForce, take_back};
pub use outage::Outage;
use undo::Undo;

/// What a delayed pod's packets wait: several times what the sample function takes, and less than any time limit.
pub const DELAY: Duration = Duration::from_millis(200);

/// How many replicas the functions of all scenarios have.
const REPLICAS: u32 = 2;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its container's processes get SIGKILL, as when memory is short.
    KillContainer,
    /// Its container is frozen by its cgroup.
    FreezeContainer,
    /// Its pod is deleted.
    DeletePod,
    /// What is sent to its pod from other nodes is late by [`DELAY`].
    DelayPod,
    /// Its node's link is down.
    LoseNode,
    /// Its node's kubelet is killed.
    StopKubelet,
    /// Its node is drained.
    DrainNode,
    /// Its Deployment is scaled to nothing.
    LoseAll,
    /// istiod is killed.
    StopIstiod,
    /// The API server is killed.
    StopApiServer,
    /// steadfaas' controller is taken away, and then its pod is deleted.
    StopController,
    /// steadfaas is taken away.
    Uninstall,
    /// No fault: its Deployment's annotation asks for another strategy.
    ChangeAnnotation,
    /// No fault: its Knative Service gets a new revision.
    NewRevision,
}

/// What a fault needs of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Its API alone: any cluster will do.
    Api,
    /// Its nodes' own namespaces and programs: only a cluster of `cargo cluster up` gives them.
    Nodes,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::KillContainer,
        Self::FreezeContainer,
        Self::DeletePod,
        Self::DelayPod,
        Self::LoseNode,
        Self::StopKubelet,
        Self::DrainNode,
        Self::LoseAll,
        Self::StopIstiod,
        Self::StopApiServer,
        Self::StopController,
        Self::Uninstall,
        Self::ChangeAnnotation,
        Self::NewRevision,
    ];

    /// What it does, in one sentence, and what takes it back.
    #[must_use]
    pub fn effect(self) -> &'static str {
        match self {
            Self::KillContainer => {
                "what is in flight is lost, new connections are refused; the kubelet starts another container in the \
                 same pod a second or so later"
            }
            Self::FreezeContainer => {
                "the kernel accepts connections and nothing answers; undone by letting it go on"
            }
            Self::DeletePod => "it is told to end, and another pod is made elsewhere or here",
            Self::DelayPod => {
                "a relay on its node holds each packet that comes from another node for 200 ms, of open connections \
                 too; undone by ending the relay"
            }
            Self::LoseNode => {
                "what is sent there is lost, and nobody says so; undone by bringing the link up again"
            }
            Self::StopKubelet => {
                "its pods go on, but nobody looks after them: after the grace period Kubernetes takes the node for \
                 lost; undone by starting it again"
            }
            Self::DrainNode => {
                "its pods are told to end and made on other nodes, and it gets no new ones; undone by `kubectl uncordon`"
            }
            Self::LoseAll => {
                "all replicas are told to end, and none is made; undone by scaling to as many as there were"
            }
            Self::StopIstiod => {
                "proxies keep what they know, and learn of no change; undone by starting it again"
            }
            Self::StopApiServer => {
                "nothing in the cluster can be asked or changed, all that runs goes on; undone by starting it again"
            }
            Self::StopController => {
                "annotations have no effect any more, proxies keep what they have, and the replica's pod is deleted; \
                 undone by starting the controller again"
            }
            Self::ChangeAnnotation => "the function is to be protected by another strategy from now on",
            Self::NewRevision => {
                "another revision's pods get the requests as soon as they are ready, and the old ones are told to end"
            }
            Self::Uninstall => {
                "proxies lose the filter and what it was told, in the midst of requests; undone by installing it again"
            }
        }
    }

    /// What it needs of a cluster.
    #[must_use]
    pub fn needs(self) -> Needs {
        match self {
            Self::DeletePod | Self::DrainNode | Self::LoseAll | Self::StopController => Needs::Api,
            Self::ChangeAnnotation | Self::NewRevision => Needs::Api,
            _ => Needs::Nodes,
        }
    }

    /// For how long a trial lets it last: long enough for three failed readiness probes, a second apart, and where a node
    /// doesn't answer, for Kubernetes to take it for lost. It was seen to do so after 8.4 to 9.7 s.
    #[must_use]
    pub fn lasts(self) -> Duration {
        Duration::from_secs(if matches!(self, Self::LoseNode | Self::StopKubelet | Self::NewRevision) {
            11
        } else {
            5
        })
    }

    /// For how long requests may fail that come after it struck: what was on its way to one of two dying replicas when the
    /// other died as well may have no attempt left. Of a fault that strikes one replica nothing may be felt.
    #[must_use]
    pub fn may_be_felt_for(self) -> Duration {
        Duration::from_secs(u64::from(self == Self::LoseAll))
    }

    /// Makes what it will need: nothing should be built while a load runs.
    ///
    /// # Errors
    /// It can't be made.
    pub fn prepare(self) -> anyhow::Result<()> {
        if self == Self::DelayPod { relay::build() } else { Ok(()) }
    }

    /// Strikes this replica, or what it depends on. Dropping what is returned takes it back.
    ///
    /// # Errors
    /// The replica, or what is to be struck, isn't there any more.
    pub fn strike<'a>(self, running: &'a Running, target: &Replica) -> anyhow::Result<InForce<'a>> {
        let in_force = InForce::begin(running, self.undo(target))?;
        match self {
            Self::KillContainer => container::kill(running, target),
            Self::FreezeContainer => container::freeze(running, target),
            Self::DeletePod => pod::delete(running, target),
            Self::DelayPod => relay::start(running, target, DELAY),
            Self::LoseNode => node::lose(running, &target.node),
            Self::StopKubelet => node::stop_kubelet(running, &target.node),
            Self::DrainNode => node::drain(running, &target.node),
            Self::LoseAll => pod::scale(running, &target.namespace, &owner_of(&target.pod, 2), 0),
            Self::StopIstiod => programs::stop(running, istio::ISTIOD),
            Self::StopApiServer => programs::stop(running, programs::API_SERVER),
            Self::StopController => steadfaas::stop(running).and_then(|()| pod::delete(running, target)),
            Self::Uninstall => steadfaas::uninstall(running),
            Self::ChangeAnnotation => pod::annotate(running, &target.namespace, &owner_of(&target.pod, 2)),
            // Its pods' Deployment is named after the revision, `fib-00001-deployment`.
            Self::NewRevision => pod::revise(running, &target.namespace, &owner_of(&target.pod, 4)),
        }?;
        Ok(in_force)
    }

    /// What takes it back: known before it strikes.
    fn undo(self, target: &Replica) -> Undo {
        let node = target.node.clone();
        match self {
            Self::KillContainer | Self::DeletePod | Self::ChangeAnnotation | Self::NewRevision => {
                Undo::Nothing
            }
            Self::FreezeContainer => Undo::Thaw { node, container: target.container.clone() },
            Self::DelayPod => Undo::EndRelay { node, pod: target.address().ip() },
            Self::LoseNode => Undo::LinkUp { node },
            Self::StopKubelet => Undo::StartKubelet { node },
            Self::DrainNode => Undo::Uncordon { node },
            Self::LoseAll => Undo::Scale {
                namespace: target.namespace.clone(),
                deployment: owner_of(&target.pod, 2),
                replicas: REPLICAS,
            },
            Self::StopIstiod => Undo::StartIstiod,
            Self::StopApiServer => Undo::StartApiServer,
            Self::StopController => Undo::StartController,
            Self::Uninstall => Undo::Install,
        }
    }
}

/// What a replica's pod is named after: its name without the last words, of which two are hashes.
fn owner_of(pod: &str, words: usize) -> String {
    let mut parts = pod.rsplitn(words + 1, '-');
    parts.nth(words).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_lasts_says_how_it_is_undone_and_whatever_passes_does_not() {
        let target = Replica::example();
        for fault in Fault::ALL {
            let lasts = fault.undo(&target) != Undo::Nothing;
            assert_eq!(fault.effect().contains("undone by"), lasts, "{fault:?}");
        }
    }

    #[test]
    fn a_pod_is_named_after_its_deployment_and_of_knatives_after_its_service() {
        assert_eq!(owner_of("fib-5fc99c4cb5-hpfvp", 2), "fib");
        assert_eq!(owner_of("kn-fib-00001-deployment-5fc99c4cb5-hpfvp", 4), "kn-fib");
    }

    #[test]
    fn the_stated_delay_is_the_real_one() {
        assert!(Fault::DelayPod.effect().contains(&format!("{} ms", DELAY.as_millis())));
    }
}
