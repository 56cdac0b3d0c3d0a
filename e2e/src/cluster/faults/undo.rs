//! What takes a fault back: data, so that it can be written down before the fault strikes.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::silence::Connections;
use super::{container, node, pod, relay};
use crate::cluster::control::programs;
use crate::cluster::machine::Program;
use crate::cluster::running::Running;
use crate::cluster::{istio, steadfaas};

/// What is to be done. Doing it where nothing is to be taken back does no harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Undo {
    /// It passes by itself.
    Nothing,
    /// Let a container go on.
    Thaw { node: String, container: String },
    /// Let packets through at once.
    EndRelay { node: String, pod: IpAddr },
    /// Connect a node.
    LinkUp { node: String },
    /// Start a node's kubelet.
    StartKubelet { node: String },
    /// Let a node have pods.
    Uncordon { node: String },
    /// Give a Deployment its replicas again.
    Scale { namespace: String, deployment: String, replicas: u32 },
    /// Start istiod.
    StartIstiod,
    /// Start the API server.
    StartApiServer,
    /// Start the API server as it usually is.
    RestartApiServer { program: Program },
    /// Let the packets of these connections through.
    LetThrough { connections: Vec<Connections> },
    /// Start steadfaas' controller.
    StartController,
    /// Install steadfaas.
    Install,
}

impl Undo {
    /// Does it.
    pub(super) fn run(&self, running: &Running) -> anyhow::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Thaw { node, container } => container::thaw(running, node, container),
            Self::EndRelay { node, pod } => relay::end(running, node, *pod),
            Self::LinkUp { node } => node::find_again(running, node),
            Self::StartKubelet { node } => node::start_kubelet(running, node),
            Self::Uncordon { node } => node::uncordon(running, node),
            Self::Scale { namespace, deployment, replicas } => {
                pod::scale(running, namespace, deployment, *replicas)
            }
            Self::StartIstiod => programs::start(running, istio::ISTIOD),
            Self::StartApiServer => programs::start(running, programs::API_SERVER),
            Self::RestartApiServer { program } => programs::restart(running, program),
            Self::LetThrough { connections } => {
                connections.iter().try_for_each(|connections| connections.let_through(running))
            }
            Self::StartController => steadfaas::start(running),
            Self::Install => steadfaas::install(running),
        }
    }
}
