//! A number of a run, and what it may be at most.

use super::PLAIN;
use crate::trial::Report;

/// Which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    /// Requests that failed.
    Failed,
    /// The longest time between two good answers.
    Gap,
    /// How much the median rose with the fault.
    P50Rise,
    /// The 99th percentile after the fault.
    P99,
    /// The longest latency after the fault.
    Max,
    /// Extra attempts, trials included.
    Extra,
    /// Those from the fault on.
    ExtraAfter,
    /// Extra attempts in percent of the requests from the fault on.
    ExtraPercent,
    /// Extra attempts before the fault in percent of the requests before it.
    ExtraPercentBefore,
    /// When all was well again after the fault's end.
    WellAfter,
    /// Attempts by requests.
    AttemptsRatio,
    /// The 99th percentile by that of [`PLAIN`].
    P99Ratio,
}

/// A number and what it may be at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) number: Number,
    pub(super) most: f64,
}

/// What is in flight of 200 requests a second to a 10 ms function, which takes 13 ms at the client: limits that are
/// counts were set for that.
const IN_FLIGHT: f64 = 3.0;

impl Limit {
    pub(super) const fn of(number: Number, most: f64) -> Self {
        Self { number, most }
    }

    pub(super) fn is_compared(&self) -> bool {
        self.number == Number::P99Ratio
    }

    /// The number in this run. `plain`: the 99th percentile that it is compared with.
    pub(super) fn value(&self, report: &Report, plain: Option<f64>) -> Option<f64> {
        let seen = &report.seen;
        // Less than none: the replicas hadn't read all yet that was sent just before the fault.
        let (extra, before) = (float(report.extra_attempts()), float(report.extra_before.max(0)));
        let (requests, requests_after) = (count(seen.requests), count(seen.requests_after));
        Some(match self.number {
            Number::Failed => count(seen.failed),
            Number::Gap => seen.gap_ms,
            Number::P50Rise => seen.after.p50_ms - seen.before.p50_ms,
            Number::P99 => seen.after.p99_ms,
            Number::Max => seen.after.max_ms,
            Number::Extra => extra,
            Number::ExtraAfter => extra - before,
            Number::ExtraPercent => 100.0 * extra / requests_after,
            Number::ExtraPercentBefore => 100.0 * before / (requests - requests_after),
            Number::WellAfter => report.well_after_ms?,
            Number::AttemptsRatio => (requests + extra) / requests,
            Number::P99Ratio => seen.after.p99_ms / plain?,
        })
    }

    /// What it may be at most in this run; where limits `grow`, one that seldom asks may see a longer gap, what is in
    /// flight when the fault strikes may run twice, and of few requests one may, too, before it.
    pub(super) fn most(&self, report: &Report, grow: bool) -> f64 {
        match self.number {
            Number::Gap if grow => self.most + report.seen.arrival_gap_ms,
            Number::ExtraAfter if grow => self.most * (count(report.in_flight) / IN_FLIGHT).max(1.0),
            Number::ExtraPercentBefore if grow => {
                self.most.max(100.0 / count(report.seen.requests - report.seen.requests_after))
            }
            _ => self.most,
        }
    }

    pub(super) fn words(&self, grow: bool) -> String {
        let most = self.most;
        let (arrival, flight, one) =
            if grow { (" + one arrival", " for each 3 in flight", ", or one") } else { ("", "", "") };
        match self.number {
            Number::Failed if most == 0.0 => "0 failed".to_owned(),
            Number::Failed => format!("<= {most} failed"),
            Number::Gap => format!("gap <= {most} ms{arrival}"),
            Number::P50Rise => format!("p50 unchanged (+{most} ms)"),
            Number::P99 => format!("p99 <= {most} ms"),
            Number::Max => format!("max <= {most} ms"),
            Number::Extra => format!("<= {most} extra attempts"),
            Number::ExtraAfter => format!("<= {most} extra after the fault{flight}"),
            Number::ExtraPercent => format!("<= {most} % extra attempts"),
            Number::ExtraPercentBefore => format!("<= {most} % extra before the fault{one}"),
            Number::WellAfter => format!("all well {most} ms after the stall"),
            Number::AttemptsRatio => format!("attempts <= {most} x requests"),
            Number::P99Ratio => format!("p99 <= {most} x {PLAIN}'s"),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests, far below 2^53")]
fn count(number: usize) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests, far below 2^53")]
fn float(number: i64) -> f64 {
    number as f64
}
