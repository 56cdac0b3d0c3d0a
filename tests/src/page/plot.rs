//! One plot: latency over time around the fault, as SVG.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::goals::Run;
use crate::record::Outcome;

/// The plot's size in pixels, and of the strip above it that shows failures.
const WIDTH: f64 = 230.0;
const HEIGHT: f64 = 90.0;
const STRIP: f64 = 6.0;

/// Its scale: from below what any function here takes to the clients' patience.
const SHORTEST_MS: f64 = 1.0;
const LONGEST_MS: f64 = 10_000.0;

/// How long before the fault it begins, and how long after it ends.
const BEFORE: Duration = Duration::from_secs(1);
const AFTER: Duration = Duration::from_secs(4);

/// The runs of one cell, over each other.
pub(super) fn of(runs: &[&Run]) -> String {
    let Some(first) = runs.first() else { return String::new() };
    let moment = first.report.moment;
    let (from, to) = match moment {
        Duration::ZERO => (Duration::ZERO, Duration::from_secs_f64(first.report.seconds)),
        _ => (moment.saturating_sub(BEFORE), moment + AFTER),
    };
    let x = |at: Duration| WIDTH * (at.saturating_sub(from)).as_secs_f64() / (to - from).as_secs_f64();
    let grid: String = [10.0, 100.0, 1_000.0].map(|ms| format!("M0 {:.1}H{WIDTH}", y(ms))).concat();
    let fault = if moment.is_zero() { String::new() } else { format!("M{:.1} 0V{HEIGHT}", x(moment)) };
    let mut paths = String::new();
    for run in runs {
        let shown = run.report.outcomes.iter().filter(|one| one.due >= from && one.due < to);
        let columns = Columns::of(shown, |one| x(one.due));
        paths += &path("run", &columns.bars());
        paths += &path("failed", &columns.marks());
    }
    format!(
        "<svg role=\"img\" aria-label=\"latency over time\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\">{}{}{paths}</svg>",
        path("grid", &grid),
        path("fault", &fault),
    )
}

fn path(class: &str, data: &str) -> String {
    if data.is_empty() { String::new() } else { format!("<path class=\"{class}\" d=\"{data}\"/>") }
}

/// Where a latency stands, on a logarithmic scale.
fn y(ms: f64) -> f64 {
    let share = (ms.clamp(SHORTEST_MS, LONGEST_MS) / SHORTEST_MS).ln() / (LONGEST_MS / SHORTEST_MS).ln();
    HEIGHT - share * (HEIGHT - STRIP)
}

/// What each column of pixels shows: thousands of requests are drawn as some hundred bars.
#[derive(Default)]
struct Columns {
    /// The shortest and the longest good latency, in milliseconds.
    good: BTreeMap<u32, (f64, f64)>,
    failed: BTreeSet<u32>,
}

impl Columns {
    fn of<'o>(outcomes: impl Iterator<Item = &'o Outcome>, x: impl Fn(&Outcome) -> f64) -> Self {
        let mut columns = Self::default();
        for outcome in outcomes {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to the width")]
            let column = x(outcome) as u32;
            if outcome.got.is_good() {
                let ms = outcome.latency.as_secs_f64() * 1_000.0;
                let (least, most) = columns.good.entry(column).or_insert((ms, ms));
                (*least, *most) = (least.min(ms), most.max(ms));
            } else {
                columns.failed.insert(column);
            }
        }
        columns
    }

    fn bars(&self) -> String {
        let bars = self.good.iter();
        bars.map(|(column, (least, most))| format!("M{column} {:.1}V{:.1}", y(*least), y(*most))).collect()
    }

    fn marks(&self) -> String {
        self.failed.iter().map(|column| format!("M{column} 0V{STRIP}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goals::tests::report;
    use crate::goals::{Group, rows};
    use crate::record::Got;

    #[test]
    fn a_plot_shows_the_fault_each_run_and_what_failed() {
        let row = rows(Group::Table).remove(0);
        let failing = report(20, 8, |index, one| {
            if index == 1_700 {
                one.got = Got::Reset;
            }
        });
        let (good, bad) = (Run::of(&row, report(20, 8, |_, _| {}), &[]), Run::of(&row, failing, &[]));
        let svg = of(&[&good, &bad]);
        assert_eq!(svg.matches("class=\"run\"").count(), 2);
        assert!(svg.contains("<path class=\"fault\" d=\"M46.0 0V90\"/>"), "1 s of 5");
        assert!(svg.contains("<path class=\"failed\" d=\"M69 0V6\"/>"), "1.5 s of 5");
    }

    #[test]
    fn the_scale_is_logarithmic_and_has_ends() {
        assert_eq!((y(SHORTEST_MS), y(0.5), y(LONGEST_MS), y(60_000.0)), (HEIGHT, HEIGHT, STRIP, STRIP));
        assert!(((y(10.0) - y(100.0)) - (y(100.0) - y(1_000.0))).abs() < 1e-9);
    }
}
