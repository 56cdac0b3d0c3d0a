//! The tables of a report: what was felt, and what was used.

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};

use super::{Felt, Trial};
use crate::cluster::usage::{Consumer, Usage};

const HEADER: [&str; 9] = [
    "",
    "failed",
    "longest\ngap",
    "p99",
    "slowest",
    "clients\nnoticed",
    "Envoy\nnoticed",
    "Kubernetes\nnoticed",
    "redundant\nagain",
];

/// What was felt: a row for each trial.
pub(super) fn felt(trials: &[Trial]) -> Table {
    let mut table = table(HEADER.map(str::to_owned));
    for Trial { with, felt } in trials {
        table.add_row(row(with, felt));
    }
    table
}

fn row(with: &str, felt: &Felt) -> [String; 9] {
    let after = |moment: Option<f64>| moment.map_or("never".to_owned(), |seconds| format!("{seconds:.2} s"));
    let seen = &felt.seen;
    [
        with.to_owned(),
        format!("{} of {}", seen.failed, seen.requests),
        format!("{:.0} ms", seen.gap_ms),
        format!("{:.0} ms", seen.after.p99_ms),
        format!("{:.0} ms", seen.after.max_ms),
        after(felt.clients_noticed_s),
        after(felt.envoy.noticed_s),
        after(felt.kubernetes.noticed_s),
        // What was never lost is redundant all the time.
        felt.kubernetes
            .noticed_s
            .map_or("was all the time".to_owned(), |_| after(felt.kubernetes.restored_s)),
    ]
}

const USED: &str = "cores on average, in the busiest second;\nmost memory";

/// What was used: a row for each node, and each proxy and pod that was there in every trial; a column for each trial.
pub(super) fn used(trials: &[Trial]) -> Table {
    let names = trials.iter().map(|trial| trial.with.clone());
    let mut table = table(std::iter::once(USED.to_owned()).chain(names));
    let Some((first, others)) = trials.split_first() else { return table };
    for Usage { consumer, .. } in &first.felt.usage {
        let first = std::iter::once(of(first, consumer));
        let cells: Option<Vec<String>> =
            first.chain(others.iter().map(|trial| of(trial, consumer))).collect();
        if let Some(cells) = cells {
            table.add_row(std::iter::once(name(consumer)).chain(cells));
        }
    }
    table
}

fn of(trial: &Trial, consumer: &Consumer) -> Option<String> {
    let usage = trial.felt.usage.iter().find(|usage| usage.consumer == *consumer)?;
    Some(format!("{:.2}, {:.2}; {:.0} MB", usage.mean_cores(), usage.most_cores(), usage.most_memory()))
}

fn name(consumer: &Consumer) -> String {
    match consumer {
        Consumer::Node(name) => format!("node {name}"),
        Consumer::Proxy(pod) => format!("proxy of {pod}"),
        Consumer::Pod(pod) => format!("pod {pod}"),
    }
}

fn table(header: impl IntoIterator<Item = String>) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
