//! What of the goals was reached, as a table.

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use steadfaas_tests::goals::{BUSY, Row, Run, missed};

use crate::table;

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
    "other load",
];

/// From here on columns are numbers.
const NUMBERS: usize = 4;

/// A row for each row of the goals and each proxy; of several runs it shows the medians, of failures the sum.
pub(crate) fn of(rows: &[Row], runs: &[Run]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(HEADER);
    for column in table.column_iter_mut().skip(NUMBERS) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for row in rows {
        for (index, cell) in cells(row, runs).iter().enumerate() {
            table.add_row(line(row, cell, index == 0));
        }
    }
    table
}

/// The runs of a row by proxy, in the order in which they first came.
fn cells<'r>(row: &Row, runs: &'r [Run]) -> Vec<Vec<&'r Run>> {
    let mut cells: Vec<Vec<&Run>> = Vec::new();
    for run in runs.iter().filter(|run| run.row == row.name) {
        let same = |cell: &&mut Vec<&Run>| cell.iter().any(|one| one.report.proxy == run.report.proxy);
        match cells.iter_mut().find(same) {
            Some(cell) => cell.push(run),
            None => cells.push(vec![run]),
        }
    }
    cells
}

fn line(row: &Row, runs: &[&Run], with_goal: bool) -> Vec<String> {
    let reports: Vec<_> = runs.iter().map(|run| &run.report).collect();
    let numbers = table::numbers(&reports);
    let held = runs.iter().filter(|run| run.held).count();
    let goal = if with_goal { format!("{}\n  {}", row.name, row.goal().join("\n  ")) } else { String::new() };
    let proxy = reports.first().map(|report| report.proxy.clone()).unwrap_or_default();
    let most = reports.iter().map(|report| report.other_load).fold(0.0, f64::max);
    let mark = if most > BUSY { " !" } else { "" };
    let mut line = vec![goal, proxy, format!("{held} of {}", runs.len()), missed(runs).join("\n")];
    line.extend([
        numbers.failed,
        numbers.gap,
        numbers.p50,
        numbers.p99,
        numbers.max,
        numbers.well,
        numbers.extra,
    ]);
    line.push(format!("{most:.2}{mark}"));
    line
}

/// What the table doesn't say by itself.
pub(crate) const LEGEND: &str = "\
held: runs in which the whole goal was reached; missed: limits, with the median of what was measured. Latencies over the time after the fault; a failed request counts as 10 s.
other load: what the machine did beside the run, in cores, at most; with ! it was too busy for its latencies to count.";
