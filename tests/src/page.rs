//! All runs as one HTML page: a row a fault, a column a proxy, in each cell latency over time around the fault.
//!
//! It holds all that it shows: no scripts, nothing from elsewhere.

mod plot;

use std::fmt::Write as _;

use crate::goals::{BUSY, Row, Run, UNEVEN, machine, missed};
use crate::median::median;

const STYLE: &str = include_str!("page/style.css");

const LEGEND: &str = "Each plot: a logarithmic scale of latency (lines at 10 ms, 100 ms, 1 s) over time, from 1 s before \
     the fault (dashed) to 4 s after it, or over the whole run where there is none. A bar spans the latencies of the \
     requests that were due at that moment; what failed is marked at the top. Several runs lie over each other; numbers \
     are their medians, of failures the sum. Each row's goal is judged for each run by itself.";

/// The page. `rows` are those that were to be run, `runs` what there is of them.
#[must_use]
pub fn of(rows: &[Row], runs: &[Run]) -> String {
    let proxies = proxies(runs);
    let header: String = proxies.iter().map(|proxy| format!("<th>{}</th>", escaped(proxy))).collect();
    let body: String = rows.iter().map(|row| table_row(row, &proxies, runs)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>cargo faults</title>\n\
         <style>\n{STYLE}</style>\n<h1>What clients see of faults</h1>\n<p>{LEGEND}</p>\n\
         <div class=\"wide\"><table>\n<thead><tr><th>fault</th>{header}</tr></thead>\n<tbody>\n{body}</tbody>\n\
         </table></div>\n</html>\n"
    )
}

/// In the order in which they first came.
fn proxies(runs: &[Run]) -> Vec<&str> {
    let mut proxies: Vec<&str> = Vec::new();
    for run in runs {
        if !proxies.contains(&run.report.proxy.as_str()) {
            proxies.push(&run.report.proxy);
        }
    }
    // What is measured comes before what it is compared with, whichever was run first.
    proxies.sort_by_key(|proxy| !proxy.starts_with("steadfaas"));
    proxies
}

fn table_row(row: &Row, proxies: &[&str], runs: &[Run]) -> String {
    let goal: String = row.goal().iter().map(|words| format!("<li>{}</li>", escaped(words))).collect();
    let cell = |proxy: &&str| {
        let of_cell = runs.iter().filter(|run| run.row == row.name && run.report.proxy == *proxy);
        cell(&of_cell.collect::<Vec<_>>())
    };
    let cells: String = proxies.iter().map(cell).collect();
    format!(
        "<tr><th scope=\"row\">{}<p>{}</p><ul>{goal}</ul></th>{cells}</tr>\n",
        escaped(&row.name),
        escaped(row.scenario.words)
    )
}

fn cell(runs: &[&Run]) -> String {
    if runs.is_empty() {
        return "<td></td>".to_owned();
    }
    let held = runs.iter().filter(|run| run.held).count();
    let class = if held == runs.len() { "held" } else { "missed" };
    let mut text = format!(
        "<td>{}<p><b class=\"{class}\">{held} of {}</b> {}</p>",
        plot::of(runs),
        runs.len(),
        escaped(&numbers(runs))
    );
    for words in missed(runs) {
        // Writing to a string doesn't fail.
        let _ = write!(text, "<p class=\"missed\">{}</p>", escaped(&words));
    }
    if runs.iter().any(|run| run.is_doubtful()) {
        let machine = machine(runs);
        let _ =
            write!(text, "<p class=\"busy\">other load, uneven ms: {machine} (at most {BUSY}, {UNEVEN})</p>");
    }
    text + "</td>"
}

fn numbers(runs: &[&Run]) -> String {
    let of = |number: &dyn Fn(&Run) -> f64| median(runs.iter().map(|run| number(run)).collect());
    let failed: usize = runs.iter().map(|run| run.report.seen.failed).sum();
    #[expect(clippy::cast_precision_loss, reason = "counts of requests, far below 2^53")]
    let extra = of(&|run| run.report.extra_attempts() as f64);
    format!(
        "{failed} failed, gap {:.0}, p50 {:.0}, p99 {:.0}, max {:.0} ms, {extra:+.0} attempts",
        of(&|run| run.report.seen.gap_ms),
        of(&|run| run.report.seen.after.p50_ms),
        of(&|run| run.report.seen.after.p99_ms),
        of(&|run| run.report.seen.after.max_ms),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goals::tests::report;
    use crate::goals::{Group, rows};
    use crate::record::Got;
    use crate::trial::Report;

    #[test]
    fn each_proxy_has_its_column_and_each_fault_its_row() {
        let kill: Vec<Row> = rows(Group::Table).into_iter().take(2).collect();
        let good = Run::of(&kill[0], report(20, 8, |_, _| {}), &[]);
        let failing = report(20, 8, |index, one| {
            if index == 1_700 {
                one.got = Got::Timeout;
            }
        });
        let peer = Report { proxy: "envoy-<x>".to_owned(), other_load: 0.4, ..failing };
        let page = of(&kill, &[Run::of(&kill[0], peer, &[]), good]);
        assert!(page.contains("<th>steadfaas</th><th>envoy-&lt;x&gt;</th>"));
        assert!(page.contains("<li>gap &lt;= 14 ms</li>"));
        assert!(page.contains(
            "<b class=\"held\">1 of 1</b> 0 failed, gap 5, p50 12, p99 12, max 12 ms, +0 attempts"
        ));
        assert!(page.contains("<p class=\"missed\">0 failed: 1</p>"));
        assert!(page.contains("other load, uneven ms: 0.40 !, 0.0 (at most 0.1, 2)"));
        assert_eq!(page.matches("<svg").count(), 2);
        assert!(page.contains("</th><td></td><td></td></tr>"), "freeze wasn't run");
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"));
    }
}
