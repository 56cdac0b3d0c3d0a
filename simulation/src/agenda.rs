//! The agenda: what happens next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::load::Time;

/// Something that happens. Numbers are those of requests, attempts, replicas and so on in their lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// The next request comes.
    Arrival,
    /// A second before the fault: from here on it counts which replica is busiest.
    LookBack,
    /// From here on clients are watched.
    Watch,
    /// A fault strikes or ends.
    Act(usize),
    /// A worker of a proxy gets its tick.
    Tick(usize),
    /// An attempt reaches its replica.
    Reached(usize),
    /// A replica has done the work of an attempt; of the life that it had then.
    Worked { replica: usize, attempt: usize, life: u32 },
    /// The proxy hears of an attempt's end.
    Heard(usize, Ending),
    /// An attempt has taken as long as the plan lets it alone.
    Late(usize),
    /// A request's wait for its next attempt is over.
    Again(usize),
    /// The client of a request waits no longer.
    ClientLeft(usize),
}

/// How an attempt ended, for the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// A good answer.
    Good,
    /// An answer of 503.
    Unavailable,
    /// The connection broke after the request was sent.
    Reset,
    /// No connection could be opened: nothing ran.
    NotConnected,
}

/// Events in order of their time; those of the same moment in the order in which they were put down.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    events: BinaryHeap<Reverse<(Time, u64, Event)>>,
    count: u64,
}

impl Agenda {
    pub(crate) fn put(&mut self, at: Time, event: Event) {
        self.count += 1;
        self.events.push(Reverse((at, self.count, event)));
    }

    pub(crate) fn next(&mut self) -> Option<(Time, Event)> {
        self.events.pop().map(|Reverse((at, _, event))| (at, event))
    }
}
