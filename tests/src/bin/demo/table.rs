//! All runs as a table, a row each.

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use steadfaas_tests::trial::Report;

use crate::words;

/// Broken over two lines, so that the table fits a terminal.
const HEADER: [&str; 10] = [
    "",
    "failed",
    "by code",
    "longest\ngap",
    "p50",
    "p99",
    "max",
    "extra\nattempts",
    "extra\nruns",
    "late\nruns",
];

/// The table.
pub(crate) fn of(reports: &[Report]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(HEADER);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for report in reports {
        table.add_row(row(report));
    }
    table
}

fn row(report: &Report) -> [String; HEADER.len()] {
    let (seen, after) = (&report.seen, report.seen.after);
    [
        report.proxy.parse().map_or_else(|_| report.proxy.clone(), |proxy| words::name(&proxy)),
        seen.failed.to_string(),
        codes(report),
        time(seen.gap_ms),
        time(after.p50_ms),
        time(after.p99_ms),
        time(after.max_ms),
        format!("{:+}", report.extra_attempts()),
        format!("{:+}", extra_runs(report)),
        report.late_runs.to_string(),
    ]
}

/// What failed requests got, such as `503 x 12`, a line each.
fn codes(report: &Report) -> String {
    let bad = report.seen.status.iter().filter(|(got, _)| !got.starts_with('2'));
    bad.map(|(got, count)| format!("{got} x {count}")).collect::<Vec<_>>().join("\n")
}

/// Milliseconds as people say them.
fn time(ms: f64) -> String {
    if ms < 1_000.0 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1_000.0) }
}

/// Runs that the replicas began, beyond one for each request.
fn extra_runs(report: &Report) -> i64 {
    let requests = i64::try_from(report.seen.requests).unwrap_or(i64::MAX);
    i64::try_from(report.executions).unwrap_or(i64::MAX) - requests
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use steadfaas_tests::record::{Got, Outcome, Seen};

    use super::*;

    /// A load of 100 requests of 12 ms, of which some got something bad.
    fn report(proxy: &str, bad: &[(usize, Got)]) -> Report {
        let outcome = |index| {
            let got = bad.iter().find(|(other, _)| *other == index).map_or(Got::Answer(200), |(_, got)| *got);
            let due = Duration::from_millis(5) * u32::try_from(index).unwrap();
            Outcome { index, due, latency: Duration::from_millis(12), got, aside: false }
        };
        Report {
            proxy: proxy.to_owned(),
            fault: "kill+freeze".to_owned(),
            rate: 200.0,
            seconds: 0.5,
            arrivals: "constant",
            seed: 1,
            replicas: 2,
            workers: 1,
            seen: Seen::of(&(0..100).map(outcome).collect::<Vec<_>>(), Duration::ZERO),
            attempts: 103,
            executions: 98,
            late_runs: 2,
            in_flight: 3,
            extra_before: 0,
            well_after_ms: None,
            other_load: 0.0,
            cpu_us_per_request: 0.0,
            moment: Duration::ZERO,
            outcomes: Vec::new(),
        }
    }

    #[test]
    fn a_calm_run_has_nothing_but_its_latencies() {
        let cells = row(&report("steadfaas:retry", &[]));
        let expected = ["retry", "0", "", "5 ms", "12 ms", "12 ms", "12 ms", "+3", "-2", "2"];
        assert_eq!(cells, expected);
    }

    #[test]
    fn failures_are_told_apart_by_what_clients_got() {
        let bad = [(4, Got::Answer(503)), (5, Got::Answer(503)), (6, Got::Timeout), (7, Got::Reset)];
        let cells = row(&report("envoy-istio", &bad));
        let expected = ["without steadfaas", "4", "503 x 2\nreset x 1\ntimeout x 1"];
        assert_eq!(cells[..3], expected);
        assert_eq!((cells[3].as_str(), cells[6].as_str()), ("25 ms", "10.0 s"));
    }

    #[test]
    fn there_is_a_row_a_run() {
        let reports = [report("envoy-istio", &[]), report("steadfaas:request-replication", &[])];
        assert_eq!(of(&reports).row_iter().count(), 2);
    }
}
