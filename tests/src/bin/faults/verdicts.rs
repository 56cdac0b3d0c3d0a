//! What of the goals was reached, as a table.

use comfy_table::Table;
use steadfaas_tests::goals::{Row, Run, machine, missed};

use crate::table::{self, table};

const HEADER: [&str; 12] = [
    "row and goal",
    "proxy",
    "held",
    "missed",
    "failed",
    "gap ms",
    "p50 ms",
    "p99 ms",
    "max ms",
    "well ms",
    "extra attempts\n/ late runs",
    "other load,\nuneven ms",
];

/// From here on columns are numbers.
const NUMBERS: usize = 4;

/// A row for each row of the goals and each proxy; of several runs it shows the medians, of failures the sum.
pub(crate) fn of(rows: &[Row], runs: &[Run]) -> Table {
    let lines = rows.iter().flat_map(|row| {
        let own = runs.iter().filter(|run| run.row == row.name);
        let cells = table::groups(own, |run| run.report.proxy.clone());
        cells.into_iter().enumerate().map(|(index, cell)| line(row, &cell, index == 0)).collect::<Vec<_>>()
    });
    table(HEADER.into(), NUMBERS, lines.collect())
}

fn line(row: &Row, runs: &[&Run], with_goal: bool) -> Vec<String> {
    let reports: Vec<_> = runs.iter().map(|run| &run.report).collect();
    let held = runs.iter().filter(|run| run.held).count();
    let goal = if with_goal { format!("{}\n  {}", row.name, row.goal().join("\n  ")) } else { String::new() };
    let proxy = reports.first().map(|report| report.proxy.clone()).unwrap_or_default();
    let mut line = vec![goal, proxy, format!("{held} of {}", runs.len()), missed(runs).join("\n")];
    line.push(table::failed(&reports));
    line.extend(table::numbers(&reports));
    line.push(machine(runs));
    line
}

/// What the table doesn't say by itself.
pub(crate) const LEGEND: &str = "\
held: runs in which the whole goal was reached; missed: limits, with the median of what was measured. Latencies over the time after the fault; a failed request counts as 10 s.
other load: what the machine did beside the run, in cores, at most. uneven: by how much the slowest hundredth of an even function's requests were later than the median before the fault. With ! it is too much for latencies to count.";
