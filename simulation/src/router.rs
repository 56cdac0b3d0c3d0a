//! A modelled router: what Envoy does with a plan. Attempts, the per-try timer that starts a hedge, retries with a
//! back-off that doubles, the first good answer, and losers that are cancelled.
//!
//! Left out: `max_retries` of the cluster (10,000 waiting requests in the shipped configuration).

use steadfaas_core::outcome::End;
use steadfaas_core::plan::{Plan, Repeat};

use crate::agenda::Ending;
use crate::load::{MS, SECOND, Time};
use crate::proxy::Planned;

/// Longest wait for a connection, as in the shipped configuration.
pub(crate) const CONNECT_TIMEOUT: Time = 100 * MS;

/// What opening a connection within a data centre takes, and hearing that nobody listens.
pub(crate) const CONNECTING: Time = 200;

/// One way between proxy and replica, with what both spend on a request beside the function's work: with it a
/// function of 10 ms takes 11.7 ms at the client, as measured on the test bed.
pub(crate) const ONE_WAY: Time = 700;

/// The proxy's timers count whole milliseconds and fire within one more.
pub(crate) const TIMER_SLACK: Time = MS;

/// How long an unused connection is kept, as in the shipped configuration.
pub(crate) const IDLE_TIMEOUT: Time = 4 * SECOND;

/// How long clients wait.
pub(crate) const CLIENT_TIMEOUT: Time = 10 * SECOND;

/// The back-off's base and ceiling in milliseconds, as in the shipped configuration.
const BACK_OFF: (u64, u64) =
    (steadfaas_core::envoy::RETRY_BACK_OFF_BASE_MS, steadfaas_core::envoy::RETRY_BACK_OFF_MAX_MS);

/// A request on its way.
pub(crate) struct Request {
    pub(crate) proxy: usize,
    /// Which of all workers has it, for its connections.
    pub(crate) pools: usize,
    pub(crate) may_repeat: bool,
    pub(crate) due: Time,
    pub(crate) is_slow_path: bool,
    /// Nothing once it is over.
    pub(crate) planned: Option<Planned>,
    /// Attempts started.
    pub(crate) attempts: usize,
    /// Attempts whose end hasn't been heard of.
    pub(crate) open: Vec<usize>,
    /// Attempts that wait for their back-off.
    pub(crate) pending: u32,
    /// How often it was written to a replica.
    pub(crate) written: u32,
    /// It was late, and another attempt started beside the first.
    pub(crate) was_hedged: bool,
    retries_left: u32,
    back_off_ms: u64,
}

/// What the router does about the end of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The request is over, like this.
    Over(End),
    /// Another attempt starts after a back-off drawn below so many milliseconds.
    Retry(u64),
    /// Other attempts are under way: their answer counts.
    Wait,
}

impl Request {
    pub(crate) fn new(due: Time, is_slow_path: bool, planned: Planned, retries: u32) -> Self {
        let retries_left = planned.plan.max_retries.unwrap_or(retries);
        Self {
            proxy: 0,
            pools: 0,
            may_repeat: false,
            due,
            is_slow_path,
            planned: Some(planned),
            attempts: 0,
            open: Vec::new(),
            pending: 0,
            written: 0,
            was_hedged: false,
            retries_left,
            back_off_ms: BACK_OFF.0,
        }
    }

    /// The place that the plan names for the next attempt; nothing where Envoy chooses.
    pub(crate) fn next_place(&mut self) -> Option<usize> {
        let place = self.planned.as_ref().and_then(|planned| planned.plan.order.get(self.attempts).copied());
        self.attempts += 1;
        place
    }

    /// An attempt ended. `was_retried`: another one has started in its stead because it was late.
    pub(crate) fn ended(&mut self, ending: Ending, was_retried: bool) -> Next {
        let end = match ending {
            Ending::Good => return Next::Over(End::Answered),
            Ending::Unavailable => End::Busy,
            Ending::Reset | Ending::NotConnected => End::Broken,
        };
        let is_retriable = self.planned.as_ref().is_some_and(|planned| retries(&planned.plan, ending));
        if is_retriable && !was_retried && self.retries_left > 0 {
            return Next::Retry(self.take_retry());
        }
        let is_answer = ending == Ending::Unavailable && !is_retriable;
        let others = !self.open.is_empty() || self.pending > 0;
        if others && !is_answer { Next::Wait } else { Next::Over(end) }
    }

    /// An attempt is late: the back-off of the one that starts beside it, if one may.
    pub(crate) fn hedge(&mut self) -> Option<u64> {
        (self.retries_left > 0).then(|| self.take_retry())
    }

    fn take_retry(&mut self) -> u64 {
        self.retries_left -= 1;
        self.pending += 1;
        let below = self.back_off_ms;
        self.back_off_ms = (below * 2).min(BACK_OFF.1);
        below
    }
}

/// Whether the plan has this failure tried again. That nothing ran is always reason enough.
fn retries(plan: &Plan, ending: Ending) -> bool {
    match ending {
        Ending::Good => false,
        Ending::NotConnected => true,
        Ending::Reset => plan.repeat != Repeat::Never,
        Ending::Unavailable => plan.repeat == Repeat::AsPolicySays,
    }
}
