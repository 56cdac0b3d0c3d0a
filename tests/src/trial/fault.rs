//! What can happen to a replica.

use std::str::FromStr;
use std::time::Duration;

/// A fault of one replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its process is killed: connections are reset, its port refuses.
    Kill,
    /// Its process is stopped: connections are accepted, nothing is answered.
    Freeze,
    /// Its node is lost: nothing that is sent there is answered, not even a connection attempt.
    LostNode,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kill, Self::Freeze, Self::LostNode];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Freeze => "freeze",
            Self::LostNode => "lost_node",
        }
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|fault| fault.as_str() == word);
        found.ok_or_else(|| format!("no fault {word:?}: there are kill, freeze and lost_node"))
    }
}

/// What is done at a moment of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The fault strikes the replica that received most requests in the second before: the active one, where there is
    /// one.
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
