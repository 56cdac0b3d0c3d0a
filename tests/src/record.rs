//! What each request of a load got, and the numbers that are made of it.

mod numbers;
mod series;

use std::collections::BTreeMap;
use std::time::Duration;

pub use numbers::{FAILED, Latencies, Seen, WELL, WINDOW, milliseconds, well_after};
pub use series::Second;

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Got {
    /// A whole answer with this status.
    Answer(u16),
    /// The connection broke, or couldn't be opened, before the answer was whole.
    Reset,
    /// Nothing in time: the client went away.
    Timeout,
}

impl Got {
    /// Whether this is what the client wanted: a whole answer that says 2xx.
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Answer(200..=299))
    }

    /// How it is counted: by status code, as `reset`, or as `timeout`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Answer(status) => status.to_string(),
            Self::Reset => "reset".to_owned(),
            Self::Timeout => "timeout".to_owned(),
        }
    }
}

/// One request of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Which one: the end of its `x-request-id`.
    pub index: usize,
    /// When it was due, from the start of the load.
    pub due: Duration,
    /// From when it was due to when it ended.
    pub latency: Duration,
    /// What became of it.
    pub got: Got,
    /// Whether it went to the load's other path.
    pub aside: bool,
}

impl Outcome {
    /// When it ended, from the start of the load.
    #[must_use]
    pub fn ended(&self) -> Duration {
        self.due + self.latency
    }

    /// It was under way at some time from `from` on and before `to`.
    #[must_use]
    pub fn is_during(&self, from: Duration, to: Duration) -> bool {
        self.due < to && self.ended() >= from
    }
}

/// How many requests got what.
#[must_use]
pub fn statuses(outcomes: &[Outcome]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for outcome in outcomes {
        *counts.entry(outcome.got.name()).or_insert(0) += 1;
    }
    counts
}

/// How many requests didn't get what the client wanted.
#[must_use]
pub fn failed(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| !outcome.got.is_good()).count()
}
