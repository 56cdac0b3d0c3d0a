//! The table of faults: each row once with each seed.

use serde::Serialize;
use steadfaas_core::policy::PolicyError;

use super::table;
use crate::scenario::Scenario;
use crate::seen::Seen;

/// What was seen of one row with one seed.
#[derive(Debug, Serialize)]
pub struct Run {
    /// The row's name.
    pub row: String,
    /// The seed.
    pub seed: u64,
    /// The numbers.
    #[serde(flatten)]
    pub seen: Seen,
}

/// Runs each row with seeds from 1 on.
///
/// # Errors
/// The policy's own.
pub fn run(rows: &[Scenario], seeds: u64) -> Result<Vec<Run>, PolicyError> {
    let one = |row: &Scenario, seed| {
        let seen = crate::run(&Scenario { seed, ..row.clone() })?;
        Ok(Run { row: row.name.clone(), seed, seen })
    };
    rows.iter().flat_map(|row| (1..=seeds).map(move |seed| one(row, seed))).collect()
}

/// The runs as a table: the mean over the seeds; of failures, gap and longest latency the worst.
#[must_use]
pub fn show(runs: &[Run], as_markdown: bool) -> String {
    let header = [
        "row",
        "failed",
        "gap ms",
        "p50",
        "p99",
        "max",
        "extra",
        "of it after",
        "hedged %",
        "cold %",
        "aside",
        "wrongly aside ms",
        "well after ms",
    ];
    let rows = runs.chunk_by(|one, next| one.row == next.row).map(|runs| {
        let mean = |number: fn(&Seen) -> f64| mean(runs, number);
        let worst = |number: fn(&Seen) -> f64| worst(runs, number);
        vec![
            runs.first().map(|run| run.row.clone()).unwrap_or_default(),
            format!("{:.0}", worst(|seen| count(seen.failed))),
            format!("{:.1}", worst(|seen| seen.gap_ms)),
            format!("{:.1}", mean(|seen| seen.p50_ms)),
            format!("{:.1}", mean(|seen| seen.p99_ms)),
            format!("{:.1}", worst(|seen| seen.max_ms)),
            format!("{:.1} ({:.2} %)", mean(|seen| signed(seen.extra)), mean(|seen| seen.extra_percent)),
            format!("{:.1}", mean(|seen| signed(seen.extra_after))),
            format!("{:.2}", mean(|seen| seen.hedged_percent)),
            format!("{:.2}", mean(|seen| seen.cold_percent)),
            format!("{:.1}", mean(|seen| count(seen.set_aside))),
            format!("{:.0}", worst(|seen| seen.wrongly_aside_longest_ms)),
            runs.first()
                .and_then(|run| run.seen.well_after_ms)
                .map_or_else(String::new, |ms| format!("{ms:.0}")),
        ]
    });
    table(&header, rows.collect(), as_markdown)
}

/// The mean of a number over runs.
#[must_use]
pub fn mean(runs: &[Run], number: impl Fn(&Seen) -> f64) -> f64 {
    runs.iter().map(|run| number(&run.seen)).sum::<f64>() / count(runs.len() as u64)
}

/// The largest that a number was in any run.
#[must_use]
pub fn worst(runs: &[Run], number: impl Fn(&Seen) -> f64) -> f64 {
    runs.iter().map(|run| number(&run.seen)).fold(0.0, f64::max)
}

/// A count as a number to reckon with.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "counts of a run")]
pub fn count(count: u64) -> f64 {
    count as f64
}

/// The same, of one that may be negative.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "counts of a run")]
pub fn signed(count: i64) -> f64 {
    count as f64
}
