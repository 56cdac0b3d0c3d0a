//! What can happen to replicas.

use std::time::Duration;

/// A fault of one replica, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its process is killed: connections are reset, its port refuses.
    Kill,
    /// Its process is stopped: connections are accepted, nothing is answered.
    Freeze,
    /// Its node is lost: nothing that is sent there is answered, not even a connection attempt.
    LostNode,
    /// It dies and returns in turn, every half second, until shortly before the load's end.
    Flap,
    /// All are stopped for two seconds, then go on.
    Storm,
    /// It misbehaves as these words say (see [`fib::fault`]).
    Misbehaves(&'static str),
    /// All do.
    AllMisbehave(&'static str),
}

impl Fault {
    /// What happens to `whom`, where it is one replica, and what that means.
    #[must_use]
    pub fn strikes(self, whom: &str) -> String {
        match self {
            Self::Kill => format!("{whom} is killed (SIGKILL: connections are reset, its port refuses)"),
            Self::Freeze => format!("{whom} is frozen (SIGSTOP: it accepts connections and never answers)"),
            Self::LostNode => format!("the node of {whom} is lost (nothing that is sent there is answered)"),
            Self::Flap => format!("{whom} dies and returns by turns"),
            Self::Storm => "all replicas stall, and go on".to_owned(),
            Self::Misbehaves(words) => format!("{whom} misbehaves ({words})"),
            Self::AllMisbehave(words) => format!("all replicas misbehave ({words})"),
        }
    }
}

/// How long a flapping replica is there, and is not.
pub(super) const FLAP: Duration = Duration::from_millis(500);

/// How long a storm's stall lasts: what a stop-the-world pause or a moved virtual machine takes.
pub(super) const STALL: Duration = Duration::from_secs(2);

/// What is done at a moment of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The fault strikes. Which replica: see [`Target`].
    Strike(Fault),
    /// The latest fault ends: the process is started again, or thawed; the node is back.
    Undo,
}

/// Something that happens in the course of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// When, from the start of the load.
    pub at: Duration,
    /// What.
    pub act: Act,
}

/// Which replica is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// That which received most requests in the second before: the active one, where there is one.
    Busiest,
    /// The first, which is the active one in configurations written by hand.
    First,
}
