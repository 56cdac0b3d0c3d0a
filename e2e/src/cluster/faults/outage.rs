//! Faults of the API server that strike no replica, but whoever works through it.

use super::silence::Connections;
use super::{InForce, Undo};
use crate::cluster::control::programs;
use crate::cluster::function;
use crate::cluster::machine::Program;
use crate::cluster::running::Running;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage<'a> {
    /// It is killed.
    Stopped,
    /// It takes one request that reads and one that writes at a time, and refuses all others with 429; but for those of
    /// administrators, which are the test bed's own.
    Throttled,
    /// All connections that the pods with this label, in this namespace, have to it are gone without a word.
    Silent(&'a str, &'a str),
}

impl Outage<'_> {
    /// Begins it. Dropping what is returned ends it.
    ///
    /// # Errors
    /// The cluster isn't ours, or there are no such pods.
    pub fn strike(self, running: &Running) -> anyhow::Result<InForce<'_>> {
        match self {
            Self::Stopped => {
                let in_force = InForce::begin(running, Undo::StartApiServer)?;
                programs::stop(running, programs::API_SERVER)?;
                Ok(in_force)
            }
            Self::Throttled => {
                let usual = programs::known(running, programs::API_SERVER)?;
                let in_force = InForce::begin(running, Undo::RestartApiServer { program: usual.clone() })?;
                programs::restart(running, &throttled(usual))?;
                Ok(in_force)
            }
            Self::Silent(namespace, label) => {
                let pods = function::replicas(running.kubectl(), namespace, label)?;
                let open = pods.iter().map(|pod| Connections::of(running, pod));
                let open = open.collect::<anyhow::Result<Vec<_>>>()?;
                let in_force = InForce::begin(running, Undo::LetThrough { connections: open.clone() })?;
                open.iter().try_for_each(|connections| connections.silence(running))?;
                Ok(in_force)
            }
        }
    }
}

/// An API server that takes one request of a kind at a time. Its usual fair queues let a request wait for a minute.
fn throttled(api_server: Program) -> Program {
    let one_at_a_time = ["--max-requests-inflight=1", "--max-mutating-requests-inflight=1"];
    api_server.args(["--enable-priority-and-fairness=false"]).args(one_at_a_time)
}
