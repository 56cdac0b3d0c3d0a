//! What was measured as tables.

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use steadfaas_tests::median::median;
use steadfaas_tests::steady::{Cost, CrowdCost};
use steadfaas_tests::trial::Report;

const HEADER: [&str; 13] = [
    "fault",
    "proxy",
    "runs",
    "failed",
    "got",
    "gap ms",
    "p50 ms",
    "p99 ms",
    "max ms",
    "well ms",
    "extra attempts / late runs",
    "cpu µs",
    "other load",
];

const COSTS_HEADER: [&str; 7] =
    ["one worker", "requests/s", "to envoy", "cpu µs", "to envoy", "to no-op", "core busy"];

const CROWD_HEADER: [&str; 5] = ["one worker", "cpu µs", "to one", "requests/s to one", "idle, of a core"];

/// A row for each fault and proxy. Of several runs it shows the median, of failures their sum.
pub(crate) fn of_reports(reports: &[Report]) -> Table {
    let rows = groups(reports).into_iter().map(|group| row(&group));
    table(HEADER.into(), 2, rows.collect())
}

/// A row for each variant.
pub(crate) fn of_costs(costs: &[Cost]) -> Table {
    table(COSTS_HEADER.into(), 1, costs.iter().map(cost_row).collect())
}

/// One function beside many.
pub(crate) fn of_crowd(costs: &[CrowdCost]) -> Table {
    let row = |cost: &CrowdCost| {
        vec![
            cost.proxy.clone(),
            format!("{:.1}", cost.cpu_us_per_request),
            format!("{:.3}", cost.cpu_ratio),
            format!("{:.3}", cost.throughput_ratio),
            format!("{:.2} %", cost.idle_percent),
        ]
    };
    table(CROWD_HEADER.into(), 1, costs.iter().map(row).collect())
}

/// A table whose columns are numbers from `numbers` on.
fn table(header: Vec<&str>, numbers: usize, rows: Vec<Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(header).add_rows(rows);
    for column in table.column_iter_mut().skip(numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn cost_row(cost: &Cost) -> Vec<String> {
    vec![
        cost.variant.clone(),
        format!("{:.0}", cost.requests_per_second),
        format!("{:.3}", cost.throughput_ratio),
        format!("{:.1}", cost.cpu_us_per_request),
        format!("{:.3}", cost.cpu_ratio),
        format!("{:.3}", cost.cpu_ratio_to_noop),
        format!("{:.0} %", 100.0 * cost.busy),
    ]
}

/// Runs of the same fault and proxy, in the order in which they first came.
fn groups(reports: &[Report]) -> Vec<Vec<&Report>> {
    let mut groups: Vec<Vec<&Report>> = Vec::new();
    for report in reports {
        let same = |first: &&Report| (&first.fault, &first.proxy) == (&report.fault, &report.proxy);
        match groups.iter_mut().find(|group| group.first().is_some_and(same)) {
            Some(group) => group.push(report),
            None => groups.push(vec![report]),
        }
    }
    groups
}

fn row(group: &[&Report]) -> Vec<String> {
    let Some(first) = group.first() else { return Vec::new() };
    let of = |number: fn(&Report) -> f64| median(group.iter().map(|report| number(report)).collect());
    let Numbers { failed, gap, p50, p99, max, well, extra } = numbers(group);
    let most = group.iter().map(|report| report.other_load).fold(0.0, f64::max);
    let mut cells =
        vec![first.fault.clone(), first.proxy.clone(), group.len().to_string(), failed, answers(group)];
    cells.extend([gap, p50, p99, max, well, extra, format!("{:.0}", of(|report| report.cpu_us_per_request))]);
    cells.push(format!("{most:.2}"));
    cells
}

/// What is shown of any runs of the same kind: medians, of failures the sum.
pub(crate) struct Numbers {
    pub(crate) failed: String,
    pub(crate) gap: String,
    pub(crate) p50: String,
    pub(crate) p99: String,
    pub(crate) max: String,
    /// Only of faults that end during the load.
    pub(crate) well: String,
    pub(crate) extra: String,
}

pub(crate) fn numbers(group: &[&Report]) -> Numbers {
    let of = |number: fn(&Report) -> f64| median(group.iter().map(|report| number(report)).collect());
    let ends = group.iter().any(|report| report.well_after_ms.is_some());
    Numbers {
        failed: group.iter().map(|report| report.seen.failed).sum::<usize>().to_string(),
        gap: format!("{:.0}", of(|report| report.seen.gap_ms)),
        p50: format!("{:.1}", of(|report| report.seen.after.p50_ms)),
        p99: format!("{:.1}", of(|report| report.seen.after.p99_ms)),
        max: format!("{:.0}", of(|report| report.seen.after.max_ms)),
        well: if ends { format!("{:.0}", of(well_after)) } else { String::new() },
        extra: format!("{:+.0} / {:.0}", of(extra_attempts), of(late_runs)),
    }
}

fn well_after(report: &Report) -> f64 {
    report.well_after_ms.unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests, far below 2^53")]
fn extra_attempts(report: &Report) -> f64 {
    report.extra_attempts() as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests, far below 2^53")]
fn late_runs(report: &Report) -> f64 {
    report.late_runs as f64
}

/// What failed requests got, such as `503 x 12, timeout x 3`.
fn answers(group: &[&Report]) -> String {
    let mut sums = std::collections::BTreeMap::new();
    for (got, count) in group.iter().flat_map(|report| &report.seen.status) {
        if !got.starts_with('2') {
            *sums.entry(got).or_insert(0) += count;
        }
    }
    let words: Vec<_> = sums.iter().map(|(got, count)| format!("{got} x {count}")).collect();
    words.join(", ")
}
