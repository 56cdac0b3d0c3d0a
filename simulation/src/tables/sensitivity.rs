//! The sensitivity table: what becomes of the table of faults when a parameter is halved and doubled.

use std::fmt::Write as _;

use anyhow::Result;
use steadfaas_core::tuning::Try;

use super::faults::{self, Run, mean, worst};
use super::table;
use crate::parallel;
use crate::parameters::Parameter;
use crate::rows;
use crate::scenario::Scenario;
use crate::seen::Seen;

/// With how many seeds each row is run.
pub const SEEDS: u64 = 5;

/// A number of a row that is compared.
struct Watched {
    name: &'static str,
    of: fn(&[Run]) -> f64,
    /// Differences below this don't count,
    least: f64,
    /// nor those below this part of what it was.
    part: f64,
}

/// What a user would notice: failures, waiting, and what it costs.
const WATCHED: [Watched; 7] = [
    Watched {
        name: "failed",
        of: |runs| worst(runs, |seen| faults::count(seen.failed)),
        least: 0.5,
        part: 0.0,
    },
    Watched { name: "gap", of: |runs| worst(runs, |seen| seen.gap_ms), least: 10.0, part: 0.2 },
    Watched { name: "max", of: |runs| worst(runs, |seen| seen.max_ms), least: 50.0, part: 0.3 },
    Watched { name: "p99", of: |runs| mean(runs, |seen| seen.p99_ms), least: 2.0, part: 0.1 },
    Watched {
        name: "extra",
        of: |runs| mean(runs, |seen| faults::signed(seen.extra)),
        least: 2.5,
        part: 0.2,
    },
    Watched {
        name: "wrongly aside",
        of: |runs| worst(runs, |seen| seen.wrongly_aside_longest_ms),
        least: 250.0,
        part: 0.2,
    },
    Watched { name: "well after", of: |runs| worst(runs, well_after), least: 50.0, part: 0.1 },
];

fn well_after(seen: &Seen) -> f64 {
    seen.well_after_ms.unwrap_or_default()
}

/// The rows that are compared: all faults, a freeze where requests are rare and where they are many, and what the
/// benchmark has no row for.
#[must_use]
pub fn rows() -> Vec<Scenario> {
    let loads = ["freeze_2rps", "freeze_2000rps_4workers"];
    let of_loads = rows::loads().into_iter().filter(|row| loads.contains(&row.name.as_str()));
    rows::faults().into_iter().chain(of_loads).chain(rows::others()).collect()
}

/// The whole document.
///
/// # Errors
/// Those of the parameters and of the runs.
pub fn document(parameters: &[Parameter]) -> Result<String> {
    let base = faults::run(&rows(), SEEDS)?;
    let lines = parallel::each(parameters, |parameter| line(parameter, &base));
    let lines = lines.into_iter().collect::<Result<Vec<_>>>()?;
    let mut text = INTRODUCTION.to_owned();
    let header = ["parameter", "value", "why", "halved", "doubled"];
    // Writing to a string can't fail.
    let _infallible = write!(
        text,
        "## The table of faults\n\n{}\n\n{COMPARISON}\n{}\n",
        faults::show(&base, true),
        table(&header, lines, true)
    );
    Ok(text)
}

/// A parameter's line of the table, compared with the runs `base` as they are without a change.
///
/// # Errors
/// Those of the runs.
pub fn line(parameter: &Parameter, base: &[Run]) -> Result<Vec<String>> {
    let mut cells = parameter.cells().to_vec();
    for value in parameter.other_values() {
        let tried = Try::value(parameter.name.clone().leak(), value);
        let changes = changes(base, &faults::run(&rows(), SEEDS)?);
        drop(tried);
        cells.push(format!("{}: {changes}", parameter.show(value)));
    }
    Ok(cells)
}

/// What is different, row by row.
fn changes(base: &[Run], tried: &[Run]) -> String {
    let same_row = |one: &Run, next: &Run| one.row == next.row;
    let pairs = base.chunk_by(same_row).zip(tried.chunk_by(same_row));
    let changed: Vec<String> = pairs.filter_map(|(before, after)| changes_of_row(before, after)).collect();
    if changed.is_empty() { "no difference".to_owned() } else { changed.join("; ") }
}

fn changes_of_row(before: &[Run], after: &[Run]) -> Option<String> {
    let changed: Vec<String> = WATCHED.iter().filter_map(|watched| watched.change(before, after)).collect();
    let row = &before.first()?.row;
    (!changed.is_empty()).then(|| format!("**{row}** {}", changed.join(", ")))
}

impl Watched {
    fn change(&self, before: &[Run], after: &[Run]) -> Option<String> {
        let (before, after) = ((self.of)(before), (self.of)(after));
        let counts = (after - before).abs() > self.least.max(before.abs() * self.part);
        counts.then(|| format!("{} {before:.0} → {after:.0}", self.name))
    }
}

const INTRODUCTION: &str = "# Parameters

Made by `cargo simulate sensitivity > docs/parameters.md`: the constants of `filter/core` that decide when something is
late, suspect or too much, each with the reason that stands above it in the source. None of them is a user's to set.
The simulation runs the same state machines as the filter against modelled replicas, so these numbers are the model's;
`cargo faults` measures a real Envoy. A test compares this list with the source, and runs a part of it again.

";

const COMPARISON: &str = "Times in milliseconds; failures, gap and longest latency are the worst of five seeds, the rest their mean. Extra
attempts are those of the whole run.

## Halved and doubled

What becomes of that table when one of them has another value; only what differs by more than a sixth or so is named.
Of a percentage, what it leaves out is halved and doubled; of a factor, its effect; counts stay whole.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn run(row: &str, extra: i64, p99_ms: f64) -> Run {
        Run { row: row.to_owned(), seed: 1, seen: Seen { extra, p99_ms, ..Seen::default() } }
    }

    #[test]
    fn only_what_differs_is_named() {
        let base = [run("kill", 2, 11.0), run("freeze", 10, 12.0)];
        assert_eq!(changes(&base, &base), "no difference");
        let tried = [run("kill", 3, 11.5), run("freeze", 19, 30.0)];
        assert_eq!(changes(&base, &tried), "**freeze** p99 12 → 30, extra 10 → 19");
    }
}
