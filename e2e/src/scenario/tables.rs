//! The tables of a report: what was felt, and what was used.

use std::collections::BTreeSet;

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
        // What Kubernetes never lost it never got back.
        felt.kubernetes
            .noticed_s
            .map_or("was all the time".to_owned(), |_| after(felt.kubernetes.restored_s)),
    ]
}

const USED: &str = "cores on average, in the busiest second;\nmost memory";

/// What was used: a row for each node, and for the proxies and the pods of each Deployment; a column for each trial.
pub(super) fn used(trials: &[Trial]) -> Table {
    let names = trials.iter().map(|trial| trial.with.clone());
    let mut table = table(std::iter::once(USED.to_owned()).chain(names));
    let usages = || trials.iter().flat_map(|trial| &trial.felt.usage);
    let rows: BTreeSet<Consumer> = usages().map(|usage| row_of(&usage.consumer)).collect();
    for row in rows {
        let cells = trials.iter().map(|trial| used_by(&row, &trial.felt.usage));
        table.add_row(std::iter::once(name(&row)).chain(cells));
    }
    table
}

/// Pods come and go: they are counted with all others of their Deployment, which their names begin with.
fn row_of(consumer: &Consumer) -> Consumer {
    let deployment = |pod: &str| pod.rsplitn(3, '-').last().unwrap_or(pod).to_owned();
    match consumer {
        Consumer::Node(_) => consumer.clone(),
        Consumer::Proxy(pod) => Consumer::Proxy(deployment(pod)),
        Consumer::Pod(pod) => Consumer::Pod(deployment(pod)),
    }
}

/// Added up over all that are in the row.
fn used_by(row: &Consumer, usages: &[Usage]) -> String {
    let of_row: Vec<&Usage> = usages.iter().filter(|usage| row_of(&usage.consumer) == *row).collect();
    let cores = sums(of_row.iter().map(|usage| usage.cores.as_slice()));
    let memory = sums(of_row.iter().map(|usage| usage.memory_mb.as_slice()));
    let most = |sums: &[f64]| sums.iter().copied().fold(0.0, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "a load has far fewer than 2^53 seconds")]
    let mean = cores.iter().sum::<f64>() / cores.len().max(1) as f64;
    format!("{mean:.2}, {:.2}; {:.0} MB", most(&cores), most(&memory))
}

/// Second by second.
fn sums<'a>(series: impl Iterator<Item = &'a [Option<f64>]>) -> Vec<f64> {
    let mut sums: Vec<f64> = Vec::new();
    for one in series {
        sums.resize(sums.len().max(one.len()), 0.0);
        for (sum, value) in sums.iter_mut().zip(one) {
            *sum += value.unwrap_or(0.0);
        }
    }
    sums
}

fn name(row: &Consumer) -> String {
    match row {
        Consumer::Node(name) => format!("node {name}"),
        Consumer::Proxy(deployment) => format!("proxies of {deployment}"),
        Consumer::Pod(deployment) => format!("pods of {deployment}"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_of_a_deployment_are_added_up_second_by_second() {
        let pod = |name: &str, cores: [Option<f64>; 3]| Usage {
            consumer: Consumer::Pod(format!("default/fib-5fc9-{name}")),
            cores: cores.into(),
            memory_mb: vec![Some(10.0), None, Some(5.0)],
        };
        let usages = [pod("a", [Some(0.2), Some(0.4), None]), pod("b", [None, Some(0.2), Some(0.1)])];
        let row = row_of(&usages[0].consumer);
        assert_eq!(row, Consumer::Pod("default/fib".to_owned()));
        assert_eq!(used_by(&row, &usages), "0.30, 0.60; 20 MB");
    }
}
