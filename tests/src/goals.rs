//! What is to be reached in each fault, as data, and whether a run reached it.

mod limit;
mod rows;

use serde::Serialize;

use limit::Limit;
pub use rows::{Group, rows};

use crate::load::Arrivals;
use crate::median::median;
use crate::proxy::Choice;
use crate::trial::{Report, Scenario, Trial};

/// A row of the benchmark's table: a scenario at some load, and what is to be reached.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name, as written on the command line.
    pub name: String,
    /// What happens.
    pub scenario: Scenario,
    /// Requests a second.
    rate: f64,
    /// When they are due.
    arrivals: Arrivals,
    /// Number of replicas.
    replicas: u8,
    /// Number of the proxy's workers.
    workers: u32,
    /// What is to be reached, each number for itself.
    limits: Vec<Limit>,
    /// Whether the limits grow with the time between arrivals and with what is in flight.
    grows: bool,
}

impl Row {
    /// Its run of this number, from 0.
    #[must_use]
    pub fn trial(&self, proxy: Choice, run: u64) -> Trial {
        Trial {
            name: self.name.clone(),
            rate: self.rate,
            arrivals: self.arrivals,
            replicas: self.replicas,
            workers: self.workers,
            seed: run + 1,
            ..Trial::new(proxy, &self.scenario)
        }
    }

    /// Whether this proxy can be run as the row wants it.
    #[must_use]
    pub fn suits(&self, proxy: &Choice) -> bool {
        self.workers == 1 || *proxy != Choice::Nginx
    }

    /// Whether a run is judged by the latencies of [`PLAIN`].
    #[must_use]
    pub fn is_compared(&self) -> bool {
        self.limits.iter().any(Limit::is_compared)
    }

    /// How much later the slowest hundredth was than the median, in milliseconds, before anything was wrong; nothing
    /// where the function or its load is uneven by itself. What is late then the machine has made late.
    #[must_use]
    pub fn unevenness(&self, report: &Report) -> Option<f64> {
        let is_even = self.scenario.function.spread == 0.0 && self.scenario.aside.is_none();
        let before = &report.seen.before;
        (is_even && self.arrivals != Arrivals::Burst).then_some(before.p99_ms - before.p50_ms)
    }

    /// What is to be reached, in words.
    #[must_use]
    pub fn goal(&self) -> Vec<String> {
        self.limits.iter().map(|limit| limit.words(self.grows)).collect()
    }

    /// Holds `report` against the goal. `plain`: the 99th percentile of [`PLAIN`] in this row, where that was run.
    #[must_use]
    pub fn judge(&self, report: &Report, plain: Option<f64>) -> Vec<Judged> {
        let judged = |limit: &Limit| {
            let value = limit.value(report, plain);
            let most = limit.most(report, self.grows);
            Judged {
                words: limit.words(self.grows),
                value,
                most,
                held: value.is_some_and(|value| value <= most),
            }
        };
        self.limits.iter().map(judged).collect()
    }
}

/// The proxy that others are compared with where a row's goal is a share of what there is without any of them.
pub const PLAIN: &str = "envoy-plain";

/// One number of a run, held against its limit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// The limit in words.
    pub words: String,
    /// The number; nothing where what it is compared with wasn't run.
    pub value: Option<f64>,
    /// What it may be at most, in this run.
    pub most: f64,
    /// Whether it is no more.
    pub held: bool,
}

/// Other load than this on the machine, in cores, makes a run's latencies doubtful.
pub const BUSY: f64 = 0.1;

/// Where the machine alone makes one request in a hundred later than this, in milliseconds, a run's latencies are
/// doubtful as well: it is all that the goals leave between a 10 ms function's 13 at the client and its 15 after a fault.
pub const UNEVEN: f64 = 2.0;

/// A run, the row it belongs to, and how it did.
#[derive(Debug, Serialize)]
pub struct Run {
    /// The row's name.
    pub row: String,
    /// Whether all of its limits held.
    pub held: bool,
    /// Whether the machine had more else to do than [`BUSY`].
    pub busy_machine: bool,
    /// [`Row::unevenness`].
    pub uneven_ms: Option<f64>,
    /// Limit by limit.
    pub judged: Vec<Judged>,
    /// The numbers.
    #[serde(flatten)]
    pub report: Report,
}

impl Run {
    /// Holds `report` against the goal of `row`; the runs so far say what it is compared with.
    #[must_use]
    pub fn of(row: &Row, report: Report, so_far: &[Self]) -> Self {
        let plain = so_far.iter().find(|run| run.row == row.name && run.report.proxy == PLAIN);
        let judged = row.judge(&report, plain.map(|run| run.report.seen.after.p99_ms));
        Self {
            row: row.name.clone(),
            held: judged.iter().all(|judged| judged.held),
            busy_machine: report.other_load > BUSY,
            uneven_ms: row.unevenness(&report),
            judged,
            report,
        }
    }

    /// The machine was too busy or too uneven for its latencies to count.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        self.busy_machine || self.uneven_ms.is_some_and(|uneven| uneven > UNEVEN)
    }
}

/// The most that the machine did beside one of `runs`, in cores, and by how much it was uneven at most, in milliseconds:
/// `0.07, 0.6`, with `!` behind what makes latencies doubtful.
#[must_use]
pub fn machine(runs: &[&Run]) -> String {
    let most = |of: fn(&Run) -> Option<f64>| runs.iter().filter_map(|run| of(run)).reduce(f64::max);
    let doubt = |is_doubtful: bool| if is_doubtful { " !" } else { "" };
    let load = most(|run| Some(run.report.other_load)).unwrap_or_default();
    let load = format!("{load:.2}{}", doubt(load > BUSY));
    match most(|run| run.uneven_ms) {
        Some(uneven) => format!("{load}, {uneven:.1}{}", doubt(uneven > UNEVEN)),
        None => load,
    }
}

/// The limits that `runs`, all of one row, missed, with the median of what was measured and how many runs missed them:
/// `gap <= 14 ms: 21 (2 of 5)`.
#[must_use]
pub fn missed(runs: &[&Run]) -> Vec<String> {
    let Some(first) = runs.first() else { return Vec::new() };
    let words = first.judged.iter().enumerate().filter_map(|(index, limit)| {
        let of_runs = || runs.iter().filter_map(|run| run.judged.get(index));
        let missing = of_runs().filter(|judged| !judged.held).count();
        let values: Vec<f64> = of_runs().filter_map(|judged| judged.value).collect();
        let value = if values.is_empty() { "not known".to_owned() } else { short(median(values)) };
        let share = if runs.len() == 1 { String::new() } else { format!(" ({missing} of {})", runs.len()) };
        (missing > 0).then(|| format!("{}: {value}{share}", limit.words))
    });
    words.collect()
}

/// A number to two digits behind the point, fewer where they are zeros.
fn short(number: f64) -> String {
    ((number * 100.0).round() / 100.0).to_string()
}

#[cfg(test)]
pub(crate) mod tests;
