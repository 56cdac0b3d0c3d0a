//! What clients saw of a fault: failures, the longest gap, and latencies around it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::series::{Second, per_second};
use super::{Outcome, failed, statuses};

/// What a failed request counts as among latencies: the time after which a client gives up.
pub const FAILED: Duration = Duration::from_secs(10);

/// How long after the fault latencies are looked at.
pub const WINDOW: Duration = Duration::from_secs(5);

/// An answer that took no longer is one of a function that is well: several times what the functions here take.
pub const WELL: Duration = Duration::from_millis(100);

/// How long before the fault the search for the longest gap begins.
const BEFORE: Duration = Duration::from_secs(1);

/// What the clients of one load saw.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    /// Requests that didn't get a whole 2xx answer.
    pub failed: usize,
    /// All requests by what they got: a status code, `reset`, `timeout`.
    pub status: BTreeMap<String, usize>,
    /// The longest time between two consecutive good completions, from 1 s before the fault to the end of the load.
    pub gap_ms: f64,
    /// The longest time between two requests that were due one after the other in that time: clients that ask this
    /// seldom see a gap where nothing is wrong.
    pub arrival_gap_ms: f64,
    /// Latencies over the time after the fault: of requests to the load's usual path.
    #[serde(flatten)]
    pub after: Latencies,
    /// The same of those to its other path, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aside: Option<Latencies>,
    /// Latencies of the seconds before the fault, to compare with.
    pub before: Latencies,
    /// Requests that the load sent.
    pub requests: usize,
    /// Those of them that were due from the fault on.
    pub requests_after: usize,
    /// Second by second.
    pub series: Vec<Second>,
}

impl Seen {
    /// What is to be seen in `outcomes` (in the order in which they were due) of a fault at `fault`, with latencies over
    /// [`WINDOW`].
    #[must_use]
    pub fn of(outcomes: &[Outcome], fault: Duration) -> Self {
        Self::over(outcomes, fault, WINDOW)
    }

    /// The same, with latencies over `window` from the fault on.
    #[must_use]
    pub fn over(outcomes: &[Outcome], fault: Duration, window: Duration) -> Self {
        let after = |aside| during(outcomes, fault, fault + window).filter(move |one| one.aside == aside);
        let other_path = outcomes.iter().any(|outcome| outcome.aside);
        Self {
            failed: failed(outcomes),
            status: statuses(outcomes),
            gap_ms: milliseconds(longest_gap(outcomes, fault.saturating_sub(BEFORE))),
            arrival_gap_ms: milliseconds(longest_wait(outcomes, fault.saturating_sub(BEFORE))),
            after: Latencies::of(after(false)),
            aside: other_path.then(|| Latencies::of(after(true))),
            before: Latencies::of(during(outcomes, Duration::ZERO, fault).filter(|one| one.ended() < fault)),
            requests: outcomes.len(),
            requests_after: outcomes.iter().filter(|outcome| outcome.due >= fault).count(),
            series: per_second(outcomes),
        }
    }
}

/// Percentiles in milliseconds; a failed request counts as 10 s.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latencies {
    /// The median.
    pub p50_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl Latencies {
    /// Those of `outcomes`; zeros where there are none.
    #[must_use]
    pub fn of<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Self {
        let latency = |outcome: &Outcome| if outcome.got.is_good() { outcome.latency } else { FAILED };
        let mut sorted: Vec<Duration> = outcomes.map(latency).collect();
        sorted.sort_unstable();
        let at = |percent| milliseconds(percentile(&sorted, percent));
        Self { p50_ms: at(50), p99_ms: at(99), max_ms: at(100) }
    }
}

/// The smallest of `sorted` that at least `percent` of them don't exceed. A load is small enough to be kept whole, so
/// this is exact.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// Requests that were in flight or became due from `from` to `to`: those that a fault at `from` caught in flight are
/// the ones it hurts most.
fn during(outcomes: &[Outcome], from: Duration, to: Duration) -> impl Iterator<Item = &Outcome> {
    outcomes.iter().filter(move |outcome| outcome.is_during(from, to))
}

/// The longest time between two consecutive good completions from `from` to the load's end. That end closes the last gap,
/// so that an outage that lasts is not overlooked; what comes after it are the slow ones of the last requests, with nobody
/// left who could ask in between.
fn longest_gap(outcomes: &[Outcome], from: Duration) -> Duration {
    let Some(end) = outcomes.last().map(|outcome| outcome.due) else { return Duration::ZERO };
    let good = outcomes.iter().filter(|outcome| outcome.got.is_good()).map(Outcome::ended);
    let mut moments: Vec<Duration> = good.filter(|moment| (from..end).contains(moment)).collect();
    moments.push(end);
    moments.sort_unstable();
    widest(&moments)
}

/// The longest time between two requests from `from` on.
fn longest_wait(outcomes: &[Outcome], from: Duration) -> Duration {
    let due: Vec<Duration> = outcomes.iter().map(|outcome| outcome.due).filter(|due| *due >= from).collect();
    widest(&due)
}

fn widest(moments: &[Duration]) -> Duration {
    let gaps = moments.iter().zip(moments.iter().skip(1)).map(|(one, next)| *next - *one);
    gaps.max().unwrap_or_default()
}

/// How long after `end`, when a fault ended, the last request ended that failed or took longer than [`WELL`]: from then
/// on all was well again.
#[must_use]
pub fn well_after(outcomes: &[Outcome], end: Duration) -> Duration {
    let unwell = outcomes.iter().filter(|outcome| !outcome.got.is_good() || outcome.latency > WELL);
    let last = unwell.map(Outcome::ended).max().unwrap_or_default();
    last.saturating_sub(end)
}

/// A duration as a reader of tables wants it: milliseconds, to a hundredth.
#[must_use]
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Got;

    /// A load of `count` requests, one every 5 ms, that take 12 ms each.
    fn calm(count: u32) -> Vec<Outcome> {
        let at = |index: u32| Outcome {
            index: index as usize,
            due: Duration::from_millis(5) * index,
            latency: Duration::from_millis(12),
            got: Got::Answer(200),
            aside: false,
        };
        (0..count).map(at).collect()
    }

    fn fail(outcomes: &mut [Outcome]) {
        for outcome in outcomes {
            *outcome = Outcome { latency: Duration::from_millis(1), got: Got::Answer(503), ..*outcome };
        }
    }

    const FAULT: Duration = Duration::from_secs(8);

    #[test]
    fn a_calm_load_shows_its_own_rhythm() {
        let seen = Seen::of(&calm(4_000), FAULT);
        assert_eq!((seen.failed, seen.gap_ms, seen.requests), (0, 5.0, 4_000));
        assert_eq!(seen.after.p99_ms, 12.0);
        assert_eq!(seen.status, BTreeMap::from([("200".to_owned(), 4_000)]));
    }

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        let at = |percent| percentile(&sorted, percent).as_millis();
        assert_eq!([at(50), at(99), at(100)], [100, 198, 200]);
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[test]
    fn a_request_caught_in_flight_by_the_fault_counts() {
        let mut outcomes = calm(4_000);
        outcomes[1_599].latency = Duration::from_millis(25);
        assert_eq!(Seen::of(&outcomes, FAULT).after.max_ms, 25.0);
    }

    #[test]
    fn a_failed_request_counts_as_ten_seconds_however_fast_it_failed() {
        let mut outcomes = calm(4_000);
        fail(&mut outcomes[1_700..1_720]);
        let seen = Seen::of(&outcomes, FAULT);
        assert_eq!((seen.failed, seen.status["503"]), (20, 20));
        assert_eq!((seen.after.p50_ms, seen.after.p99_ms), (12.0, 10_000.0));
    }

    #[test]
    fn the_gap_is_between_good_completions_from_a_second_before_the_fault() {
        let mut outcomes = calm(4_000);
        fail(&mut outcomes[200..400]);
        assert_eq!(Seen::of(&outcomes, FAULT).gap_ms, 5.0, "what failed after 1 s is too early");
        fail(&mut outcomes[1_700..1_710]);
        assert_eq!(Seen::of(&outcomes, FAULT).gap_ms, 55.0);
    }

    #[test]
    fn clients_that_ask_seldom_wait_for_their_own_requests() {
        let mut outcomes = calm(4_000);
        outcomes.drain(1_700..1_707);
        let seen = Seen::of(&outcomes, FAULT);
        assert_eq!((seen.arrival_gap_ms, seen.requests_after), (40.0, 2_393));
    }

    #[test]
    fn the_other_path_has_latencies_of_its_own() {
        let mut outcomes = calm(4_000);
        for outcome in outcomes.iter_mut().step_by(5) {
            *outcome = Outcome { aside: true, latency: Duration::from_millis(80), ..*outcome };
        }
        let seen = Seen::of(&outcomes, FAULT);
        assert_eq!((seen.after.max_ms, seen.aside.unwrap().p50_ms), (12.0, 80.0));
        assert_eq!(seen.gap_ms, 10.0, "not the 25 ms between the slow ones that end after the load");
    }

    #[test]
    fn all_is_well_after_the_last_request_that_failed_or_took_long() {
        let mut outcomes = calm(4_000);
        assert_eq!(well_after(&outcomes, FAULT), Duration::ZERO);
        outcomes[1_500].latency = Duration::from_secs(1);
        assert_eq!(well_after(&outcomes, FAULT), Duration::from_millis(500), "due at 7.5 s");
        fail(&mut outcomes[1_800..1_801]);
        assert_eq!(well_after(&outcomes, FAULT), Duration::from_millis(1_001));
    }

    #[test]
    fn an_outage_that_lasts_is_a_gap_to_the_end() {
        let mut outcomes = calm(4_000);
        fail(&mut outcomes[1_600..]);
        assert!(Seen::of(&outcomes, FAULT).gap_ms > 11_900.0);
    }
}
