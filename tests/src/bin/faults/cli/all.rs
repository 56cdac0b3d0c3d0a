//! `--all`: which rows of the goals, with which peers.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use steadfaas_tests::goals::{self, PLAIN, Row};
use steadfaas_tests::proxy::Choice;
use steadfaas_tests::trial::Trial;

/// What belongs to `--all`.
#[derive(Debug, Args)]
pub(crate) struct All {
    /// Measure every fault, with the proxy several times and each peer once, and say what of the goals is reached
    #[arg(long, conflicts_with_all = ["faults", "rate", "seconds", "arrivals", "seed", "replicas", "workers"])]
    pub(crate) all: bool,
    /// With --all: every fault at the usual load, or kill and freeze at other loads, with more workers and replicas
    #[arg(long, value_enum, value_name = "GROUP", default_value_t = Group::Table, requires = "all")]
    group: Group,
    /// With --all: only these rows of it, such as kill,freeze
    #[arg(long, value_name = "ROWS", value_delimiter = ',', requires = "all")]
    rows: Vec<String>,
    /// With --all: all peers that are installed, none (but what a row is compared with), or those named, such as
    /// nginx,envoy-istio
    #[arg(long, value_name = "PEERS", default_value = "all", requires = "all")]
    peers: Peers,
    /// With --all: write it all, with plots, to this HTML file
    #[arg(long, value_name = "FILE", requires = "all")]
    pub(crate) page: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Group {
    Table,
    Scale,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Peers(Vec<Choice>);

impl std::str::FromStr for Peers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self(Choice::peers())),
            "none" => Ok(Self(Vec::new())),
            names => {
                let named = names.split(',').map(|name| name.parse().map_err(|error| format!("{error}")));
                named.collect::<Result<_, _>>().map(Self)
            }
        }
    }
}

/// All runs, each with the row that it belongs to.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The rows.
    pub(crate) rows: Vec<Row>,
    /// The runs, in their order.
    pub(crate) trials: Vec<Trial>,
    /// For each run its row's index.
    pub(crate) row_of: Vec<usize>,
}

impl All {
    /// Row by row: what the row is compared with, `ours` so many `times`, the other peers.
    pub(crate) fn plan(&self, ours: &[Choice], times: u64) -> anyhow::Result<Plan> {
        let mut plan = Plan { rows: self.rows()?, trials: Vec::new(), row_of: Vec::new() };
        for (index, row) in plan.rows.iter().enumerate() {
            let plain: Choice = PLAIN.parse()?;
            let first = row.is_compared().then(|| plain.clone());
            let peers = self.peers.0.iter().filter(|peer| row.suits(peer) && first.as_ref() != Some(peer));
            let mut trials: Vec<Trial> = first.iter().map(|peer| row.trial(peer.clone(), 0)).collect();
            for run in 0..times {
                trials.extend(ours.iter().map(|proxy| row.trial(proxy.clone(), run)));
            }
            trials.extend(peers.map(|peer| row.trial(peer.clone(), 0)));
            plan.row_of.extend(trials.iter().map(|_| index));
            plan.trials.extend(trials);
        }
        Ok(plan)
    }

    fn rows(&self) -> anyhow::Result<Vec<Row>> {
        let group = match self.group {
            Group::Table => goals::Group::Table,
            Group::Scale => goals::Group::Scale,
        };
        let all = goals::rows(group);
        let is_known = |name: &&String| all.iter().any(|row| row.name == **name);
        if let Some(unknown) = self.rows.iter().find(|name| !is_known(name)) {
            let names: Vec<&str> = all.iter().map(|row| row.name.as_str()).collect();
            anyhow::bail!("--rows: no row {unknown:?} in this group: there are {}", names.join(", "));
        }
        Ok(all.into_iter().filter(|row| self.rows.is_empty() || self.rows.contains(&row.name)).collect())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::cli::Cli;

    fn planned(words: &str) -> anyhow::Result<Vec<String>> {
        let cli = Cli::try_parse_from(std::iter::once("faults").chain(words.split_whitespace()))?;
        let trials = cli.plan()?.trials;
        Ok(trials.iter().map(|trial| format!("{} {} {}", trial.name, trial.proxy, trial.seed)).collect())
    }

    #[test]
    fn ours_is_run_several_times_and_each_peer_once() {
        let expected = ["kill steadfaas 1", "kill steadfaas 2", "kill nginx 1", "kill envoy-istio 1"];
        assert_eq!(planned("--all --rows kill --runs 2 --peers nginx,envoy-istio").unwrap(), expected);
        assert_eq!(planned("--all --rows kill,freeze --peers none").unwrap().len(), 10, "five runs each");
    }

    #[test]
    fn what_a_row_is_compared_with_comes_first_whoever_else_is_asked_for() {
        let expected = ["lognormal envoy-plain 1", "lognormal steadfaas 1"];
        for peers in ["none", "envoy-plain"] {
            assert_eq!(
                planned(&format!("--all --rows lognormal --runs 1 --peers {peers}")).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn a_peer_is_left_out_where_it_cannot_do_what_the_row_wants() {
        let words = "--all --group scale --rows kill_4workers --runs 1 --peers nginx,haproxy";
        assert_eq!(planned(words).unwrap(), ["kill_4workers steadfaas 1", "kill_4workers haproxy 1"]);
    }

    #[test]
    fn a_row_that_is_not_there_is_refused_with_those_there_are() {
        let error = planned("--all --rows freeze_2rps").unwrap_err().to_string();
        assert!(
            error.starts_with("--rows: no row \"freeze_2rps\" in this group: there are kill, freeze"),
            "{error}"
        );
    }
}
