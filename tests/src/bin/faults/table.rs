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
    let kind = |report: &Report| (report.fault.clone(), report.proxy.clone());
    let rows = groups(reports, kind).into_iter().map(|group| row(&group));
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
pub(crate) fn table(header: Vec<&str>, numbers: usize, rows: Vec<Vec<String>>) -> Table {
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

/// Those with the same key together, in the order in which they first came.
pub(crate) fn groups<'a, T, K: PartialEq>(
    all: impl IntoIterator<Item = &'a T>,
    key: impl Fn(&T) -> K,
) -> Vec<Vec<&'a T>> {
    let mut groups: Vec<(K, Vec<&T>)> = Vec::new();
    for one in all {
        let own = key(one);
        match groups.iter_mut().find(|(key, _)| *key == own) {
            Some((_, group)) => group.push(one),
            None => groups.push((own, vec![one])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn row(group: &[&Report]) -> Vec<String> {
    let Some(first) = group.first() else { return Vec::new() };
    let most = group.iter().map(|report| report.other_load).fold(0.0, f64::max);
    let mut cells = vec![first.fault.clone(), first.proxy.clone(), group.len().to_string()];
    cells.extend([failed(group), answers(group)]);
    cells.extend(numbers(group));
    cells.push(format!("{:.0}", median(group.iter().map(|report| report.cpu_us_per_request).collect())));
    cells.push(format!("{most:.2}"));
    cells
}

/// How many requests failed in any runs of the same kind.
pub(crate) fn failed(group: &[&Report]) -> String {
    group.iter().map(|report| report.seen.failed).sum::<usize>().to_string()
}

/// What else is shown of them: the medians of gap, p50, p99 and slowest, of the time until all was well where the fault
/// ends during the load, and of extra attempts and late runs.
pub(crate) fn numbers(group: &[&Report]) -> [String; 6] {
    let of = |number: fn(&Report) -> f64| median(group.iter().map(|report| number(report)).collect());
    let ends = group.iter().any(|report| report.well_after_ms.is_some());
    [
        format!("{:.0}", of(|report| report.seen.gap_ms)),
        format!("{:.1}", of(|report| report.seen.after.p50_ms)),
        format!("{:.1}", of(|report| report.seen.after.p99_ms)),
        format!("{:.0}", of(|report| report.seen.after.max_ms)),
        if ends { format!("{:.0}", of(well_after)) } else { String::new() },
        format!("{:+.0} / {:.0}", of(extra_attempts), of(late_runs)),
    ]
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
