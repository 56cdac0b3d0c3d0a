//! The outcome of one request, and what it teaches about the replicas that were tried.

mod glance;

use std::time::Duration;

pub use glance::{CloserLooks, is_plain};

use crate::lane::Lane;
use crate::plan::Plan;
use crate::policy::Strategy;
use crate::strategy::request_replication;
use crate::time::Micros;

/// How one request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How many attempts Envoy made; zero if it made none.
    pub attempts: u32,
    /// The place (in the plan's view) of the replica whose answer, or whose failure, the client got.
    pub replica: Option<usize>,
    /// How long it took, all attempts together.
    pub latency: Duration,
    /// How it ended.
    pub end: End,
}

/// How a request ended, as far as it says something about a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A replica answered, and not with 502, 503 or 504.
    Answered,
    /// A replica answered with 502 or 504: an answer of the function, it may be.
    Refused,
    /// A replica answered with 429 or 503: it has too much to do, it may be.
    Busy,
    /// The connection to the replica could not be opened, or broke.
    Broken,
    /// Nothing that a replica would be to blame for: the client left, a limit was reached.
    Other,
}

impl End {
    /// How a request ended, by Envoy's response flags and the answer's status.
    #[must_use]
    pub fn of(flags: u64, status: Option<u64>) -> Self {
        /// Remote reset (UR), connection failure (UF), connection termination (UC), protocol error (UPE: an answer cut
        /// off in its middle).
        const BROKEN: u64 = 0x10 | 0x20 | 0x40 | 0x80_0000;
        /// Downstream connection termination (DC).
        const CLIENT_LEFT: u64 = 0x4000;
        match status {
            _ if flags & CLIENT_LEFT != 0 => Self::Other,
            _ if flags & BROKEN != 0 => Self::Broken,
            Some(429 | 503) => Self::Busy,
            Some(502 | 504) => Self::Refused,
            Some(100..) => Self::Answered,
            _ => Self::Other,
        }
    }
}

/// What an outcome teaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lessons {
    /// Replicas to set aside.
    pub suspects: Vec<usize>,
    /// They were silent or late; otherwise their connections broke.
    pub hang: bool,
    /// A replica that shall be looked at again soon: it was late, and nothing else is known against it.
    pub late: Option<usize>,
    /// The replica that answered, where that is news: it was led a check, or nobody knows of any well replica.
    pub acquitted: Option<usize>,
    /// An answer came, but not from the replica that was tried first.
    pub failover: bool,
}

impl Lessons {
    /// The replica at `place` is to be set aside for its silence, or for being much slower than its peers.
    #[must_use]
    pub fn of_silence(place: usize) -> Self {
        Self { suspects: vec![place], hang: true, ..Self::default() }
    }

    /// Nothing that the view has to take in.
    #[must_use]
    pub fn say_nothing_of_replicas(&self) -> bool {
        self.suspects.is_empty() && self.late.is_none() && self.acquitted.is_none()
    }
}

impl Outcome {
    /// The one attempt of `plan` was answered by the replica that it was led to.
    #[must_use]
    pub fn plain(plan: &Plan, latency: Duration) -> Self {
        Self { attempts: 1, replica: plan.first(), latency, end: End::Answered }
    }

    /// Tells the lane of the replica that answered. `times`: how many times as long as usual that took; it isn't said
    /// of one that was asked only later.
    pub fn tell<'l>(&self, plan: &Plan, lane_at: &dyn Fn(usize) -> Option<&'l Lane>, times: Option<f32>) {
        let Some(lane) = self.replica.filter(|_| self.end == End::Answered).and_then(lane_at) else { return };
        lane.heard();
        times.filter(|_| self.replica == plan.first()).into_iter().for_each(|times| lane.took(times));
    }
}

/// So many requests in a row that a replica was late with, while another one answered, set it aside. With 5 %
/// stragglers that is one request in eight thousand.
pub const LATE_IN_A_ROW: u32 = 3;

/// The same of a function that is often late. One request in ten is late of a replica that takes ten times as long
/// with every tenth: three in a row are so seven times a second at 10,000 requests a second, six once in two minutes.
pub const LATE_IN_A_ROW_OF_OFTEN_LATE: u32 = 6;

/// For at least this many hedge delays: with thousands of requests a second several in a row are slow every other
/// second without anything being wrong; nobody is slow with all of them for that long.
const LATE_FOR: u32 = 4;

/// What `outcome` of `plan` teaches. `lane_at` gives this worker's lane of a place. `is_last_hope`: since it was planned all
/// were set aside; whoever answers all the same is well, and the next ones needn't find that out by asking those that are gone.
pub fn learn<'l>(
    strategy: Strategy,
    plan: &Plan,
    outcome: &Outcome,
    lane_at: &dyn Fn(usize) -> Option<&'l Lane>,
    is_last_hope: bool,
    now: Micros,
) -> Lessons {
    let tried = plan.order.get(..tried(plan, outcome)).unwrap_or_default();
    match outcome.end {
        End::Answered => answered(strategy, plan, outcome, tried, lane_at, is_last_hope, now),
        End::Broken => Lessons { suspects: distinct(tried.iter().copied()), ..Lessons::default() },
        End::Refused | End::Busy | End::Other => Lessons::default(),
    }
}

/// How many places of the plan's order were tried.
fn tried(plan: &Plan, outcome: &Outcome) -> usize {
    usize::try_from(outcome.attempts).unwrap_or(usize::MAX).min(plan.order.len())
}

fn answered<'l>(
    strategy: Strategy,
    plan: &Plan,
    outcome: &Outcome,
    tried: &[usize],
    lane_at: &dyn Fn(usize) -> Option<&'l Lane>,
    is_last_hope: bool,
    now: Micros,
) -> Lessons {
    let (Some(winner), first) = (outcome.replica, plan.first()) else { return Lessons::default() };
    let failover = tried.first().is_some_and(|first| *first != winner);
    let is_news = is_last_hope
        || plan.is_desperate
        || (plan.is_check && !failover)
        || (plan.is_last_resort && failover);
    let acquitted = Some(winner).filter(|_| is_news);
    let before = tried.iter().copied().take_while(|place| *place != winner);
    // A hedge that won says less than a failure: the first replica may only have been slow with this one request.
    let is_late = plan.hedge_after.is_some_and(|delay| outcome.latency + plan.early >= delay);
    if plan.is_first_look && is_late && failover {
        return Lessons { late: first, acquitted, failover, ..Lessons::default() };
    }
    let was_hedged = is_late && !plan.is_check;
    if plan.is_desperate || (was_hedged && failover && !in_time(strategy, plan, outcome)) {
        // All were late, or failed long ago: the one that answered in the end was only the first of them.
        return Lessons { acquitted, failover, ..Lessons::default() };
    }
    if !was_hedged && !failover && strategy != Strategy::RequestReplication {
        lane_at(winner).into_iter().for_each(Lane::won);
    }
    let suspects = match first.filter(|_| was_hedged).map(|first| (first, lane_at(first), lane_at(winner))) {
        None => distinct(before),
        Some((first, Some(first_lane), Some(winner_lane))) => {
            let is_lost = if strategy == Strategy::RequestReplication {
                request_replication::raced(first_lane, winner_lane, failover, now.millis())
            } else {
                was_late(plan, first_lane, winner_lane, failover, now)
            };
            if is_lost { vec![first] } else { Vec::new() }
        }
        Some(_) => Vec::new(),
    };
    let hang = is_late && !suspects.is_empty();
    Lessons { suspects, hang, acquitted, failover, ..Lessons::default() }
}

/// The replica that was asked second took its usual time, or about: only the first was late.
fn in_time(strategy: Strategy, plan: &Plan, outcome: &Outcome) -> bool {
    /// The first delay went by before it was asked, the second is what it usually takes at most.
    const DELAYS: u32 = 2;
    /// And this is for a connection that wasn't there and had to be waited for. Stalls of all replicas that are as
    /// short as this set one of them aside, which does no harm.
    const CONNECTION: Duration = Duration::from_millis(250);
    let limit = plan.hedge_after.unwrap_or_default().saturating_mul(DELAYS).saturating_add(CONNECTION);
    strategy == Strategy::RequestReplication || outcome.latency <= limit
}

/// Takes in who answered a hedged request. Says whether the replica that was asked first is to be set aside: it is late
/// again and again, or has fallen silent. Whoever plans finds silence, too, but plans nothing between two bursts.
fn was_late(plan: &Plan, first: &Lane, winner: &Lane, failover: bool, now: Micros) -> bool {
    if failover {
        first.lost(now.millis());
    }
    winner.won();
    let lasted = now.millis().since(first.first_loss()) >= plan.hedge_after.unwrap_or_default() * LATE_FOR;
    let enough = if plan.is_often_late { tuned!(LATE_IN_A_ROW_OF_OFTEN_LATE) } else { tuned!(LATE_IN_A_ROW) };
    failover && ((lasted && first.losses() >= enough) || first.is_silent(now))
}

/// Where a hedge started early: after how long it should have, and the most that it can have been.
#[must_use]
pub fn hedged_early(plan: &Plan, outcome: &Outcome) -> Option<(Duration, Duration)> {
    let hedge_after = plan.hedge_after.filter(|delay| outcome.latency < *delay)?;
    let (first, others) = plan.order.split_first()?;
    // Had the first attempt failed, its replica would not have been asked again.
    let is_hedge = outcome.attempts > 1 && outcome.replica == Some(*first) && !others.contains(first);
    is_hedge.then_some((hedge_after, outcome.latency))
}

fn distinct(places: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut distinct = Vec::new();
    for place in places {
        if !distinct.contains(&place) {
            distinct.push(place);
        }
    }
    distinct
}

#[cfg(test)]
mod tests;
