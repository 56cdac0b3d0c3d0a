//! What was seen in a run: the numbers of the benchmark, and those that the rules are held against.

use std::time::Duration;

use serde::Serialize;

use crate::load::{MS, SECOND, Time, in_millis};
use crate::proxy::Did;
use crate::router::CLIENT_TIMEOUT;
use crate::scenario::{Act, Scenario};

/// An answer that took no longer is one of a function that is well: as in the benchmark.
const WELL: Time = 100 * MS;

/// One request, when it is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    pub(crate) due: Time,
    pub(crate) end: Time,
    pub(crate) is_good: bool,
    pub(crate) is_slow_path: bool,
    pub(crate) may_repeat: bool,
}

impl Record {
    /// It failed, or took longer than those of a function that is well.
    fn is_ill(&self) -> bool {
        !self.is_good || self.end - self.due > WELL
    }
}

/// What is counted while a run goes on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Count {
    pub(crate) requests: u64,
    pub(crate) over: u64,
    pub(crate) written: u64,
    pub(crate) hedged: u64,
    pub(crate) requests_before: u64,
    pub(crate) written_before: u64,
    pub(crate) hedged_before: u64,
    pub(crate) checks_before: u64,
    pub(crate) trials_before: u64,
    pub(crate) in_flight: u64,
    pub(crate) most_runs_of_unrepeatable: u32,
    pub(crate) ticks_without_any_well: u64,
    pub(crate) wrongly_aside_ticks: u64,
    pub(crate) wrongly_aside_longest: Duration,
    pub(crate) bursts: u64,
    pub(crate) well_at_end: Option<usize>,
    did: Did,
}

impl Count {
    pub(crate) fn add(&mut self, did: &Did) {
        self.did.checks += did.checks;
        self.did.trials += did.trials;
        self.did.set_aside += did.set_aside;
        self.did.set_aside_silent += did.set_aside_silent;
        self.did.set_aside_slower += did.set_aside_slower;
        self.did.last_one_set_aside += did.last_one_set_aside;
        self.did.cold += did.cold;
    }
}

/// What was seen in a run. Latencies are those of the scenario's window, a failure counting as the client's patience;
/// attempts are requests written to a replica.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Seen {
    /// Requests of the whole run.
    pub requests: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those of them that may run twice.
    pub failed_repeatable: u64,
    /// The median latency.
    pub p50_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// The longest time between two good answers, from a second before the fault on.
    pub gap_ms: f64,
    /// Extra attempts of the whole run.
    pub extra: i64,
    /// Extra attempts from the fault on.
    pub extra_after: i64,
    /// Extra attempts in percent of the requests.
    pub extra_percent: f64,
    /// Extra attempts before the fault in percent of the requests before it.
    pub extra_percent_before: f64,
    /// Requests that were hedged.
    pub hedged: u64,
    /// The same, in percent.
    pub hedged_percent: f64,
    /// The same, from the fault on.
    pub hedged_percent_after: f64,
    /// Requests that came after the fault and failed or took more than 100 ms.
    pub late_after: u64,
    /// When the last request was over that failed or took more than 100 ms, after the last thaw.
    pub well_after_ms: Option<f64>,
    /// Requests under way when the fault struck.
    pub in_flight: u64,
    /// Extra attempts that the budget allows: its share of the requests, and each worker's burst.
    pub allowed_extra: u64,
    /// The bursts of all workers together.
    pub bursts: u64,
    /// How often a request that must not run twice was written to a replica at most.
    pub most_runs_of_unrepeatable: u32,
    /// Requests planned while the function's speed wasn't known, or was that slow, in percent.
    pub cold_percent: f64,
    /// Requests led to a replica to hear from it.
    pub checks: u64,
    /// The same, from the fault on.
    pub checks_after: u64,
    /// Those of them that were a suspect's trial.
    pub trials: u64,
    /// The same, from the fault on.
    pub trials_after: u64,
    /// How often a replica was set aside.
    pub set_aside: u64,
    /// How often one was for being silent.
    pub set_aside_silent: u64,
    /// How often one was for being much slower than its peers.
    pub set_aside_slower: u64,
    /// How often the last well one was set aside for being slower.
    pub last_one_set_aside: u64,
    /// Tenths of a second without any replica known to be well.
    pub ticks_without_any_well: u64,
    /// Tenths of a second that replicas with nothing wrong were set aside, over all of them and all proxies.
    pub wrongly_aside_ticks: u64,
    /// The longest time that one of them was.
    pub wrongly_aside_longest_ms: f64,
    /// Well replicas at the end, in the view that has fewest.
    pub well_at_end: usize,
}

impl Seen {
    pub(crate) fn of(scenario: &Scenario, mut records: Vec<Record>, count: &Count) -> Self {
        records.sort_unstable_by_key(|record| record.due);
        let latencies = latencies(scenario, &records);
        let failed = |also: fn(&Record) -> bool| {
            records.iter().filter(|record| !record.is_good && also(record)).count() as u64
        };
        let extra = difference(count.written, count.requests);
        let extra_before = difference(count.written_before, count.requests_before);
        let percent: u64 = scenario
            .settings
            .iter()
            .find(|(key, _)| *key == "budget")
            .map_or(10, |(_, value)| value.trim_end_matches('%').parse().unwrap_or_default());
        Self {
            requests: count.requests,
            failed: failed(|_| true),
            failed_repeatable: failed(|record| record.may_repeat),
            p50_ms: quantile(&latencies, 0.5),
            p99_ms: quantile(&latencies, 0.99),
            max_ms: quantile(&latencies, 1.0),
            gap_ms: gap(scenario, &records),
            extra,
            extra_after: extra - extra_before,
            extra_percent: share(extra, count.requests),
            extra_percent_before: share(extra_before, count.requests_before),
            hedged: count.hedged,
            hedged_percent: share(count.hedged.cast_signed(), count.requests),
            hedged_percent_after: share(
                difference(count.hedged, count.hedged_before),
                count.requests - count.requests_before,
            ),
            late_after: records.iter().filter(|record| record.due >= scenario.at && record.is_ill()).count()
                as u64,
            well_after_ms: well_after(scenario, &records),
            in_flight: count.in_flight,
            allowed_extra: count.requests * percent / 100 + count.bursts,
            bursts: count.bursts,
            most_runs_of_unrepeatable: count.most_runs_of_unrepeatable,
            cold_percent: share(count.did.cold.cast_signed(), count.requests),
            checks: count.did.checks,
            checks_after: count.did.checks - count.checks_before,
            trials: count.did.trials,
            trials_after: count.did.trials - count.trials_before,
            set_aside: count.did.set_aside,
            set_aside_silent: count.did.set_aside_silent,
            set_aside_slower: count.did.set_aside_slower,
            last_one_set_aside: count.did.last_one_set_aside,
            ticks_without_any_well: count.ticks_without_any_well,
            wrongly_aside_ticks: count.wrongly_aside_ticks,
            wrongly_aside_longest_ms: count.wrongly_aside_longest.as_secs_f64() * 1_000.0,
            well_at_end: count.well_at_end.unwrap_or_default(),
        }
    }
}

/// Latencies of the window in ascending order; of the usual path only, as the benchmark has it.
fn latencies(scenario: &Scenario, records: &[Record]) -> Vec<Time> {
    let window = scenario.at..scenario.at + scenario.window;
    let watched = records.iter().filter(|record| window.contains(&record.due) && !record.is_slow_path);
    let latency = |record: &Record| if record.is_good { record.end - record.due } else { CLIENT_TIMEOUT };
    let mut latencies: Vec<Time> = watched.map(latency).collect();
    latencies.sort_unstable();
    latencies
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn quantile(sorted: &[Time], share: f64) -> f64 {
    let place = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().map_or(f64::NAN, in_millis)
}

fn gap(scenario: &Scenario, records: &[Record]) -> f64 {
    let from = scenario.at.saturating_sub(SECOND);
    let mut ends: Vec<Time> = records
        .iter()
        .filter(|record| record.is_good && record.end >= from)
        .map(|record| record.end)
        .collect();
    ends.sort_unstable();
    let longest = ends.iter().zip(ends.iter().skip(1)).map(|(one, next)| next - one).max();
    longest.map_or(f64::NAN, in_millis)
}

fn well_after(scenario: &Scenario, records: &[Record]) -> Option<f64> {
    let thawed = scenario.acts.iter().rev().find(|(_, act)| matches!(act, Act::Thaw(_)))?.0;
    let ill = records.iter().filter(|record| record.is_ill());
    Some(in_millis(ill.map(|record| record.end.saturating_sub(thawed)).max().unwrap_or(0)))
}

fn difference(more: u64, less: u64) -> i64 {
    more.cast_signed() - less.cast_signed()
}

#[allow(clippy::cast_precision_loss, reason = "percentages")]
fn share(part: i64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
