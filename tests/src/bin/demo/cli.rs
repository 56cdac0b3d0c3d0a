//! What is asked for on the command line.

use clap::Parser;
use steadfaas_core::policy::Strategy;
use steadfaas_tests::trial::Trial;

use crate::script::{self, Faults, LEAST_SECONDS, MOST_SECONDS};

/// Shows what clients see when replicas of a function fail under load: behind Envoy alone, and behind Envoy with each
/// strategy of steadfaas. Two replicas of a 10 ms function; one is killed and started again, one is frozen and thawed.
/// Everything runs on this machine and is gone afterwards.
#[derive(Debug, Parser)]
#[command(name = "cargo demo")]
pub(crate) struct Cli {
    /// retry, active-standby, request-replication or hedged; may be given several times [default: each]
    #[arg(long = "strategy", value_name = "STRATEGY", value_parser = parse_strategy)]
    strategies: Vec<Strategy>,
    /// What happens to replicas
    #[arg(long = "fault", value_name = "FAULT", value_enum, default_value_t = Faults::Both)]
    faults: Faults,
    /// Requests a second
    #[arg(long, value_name = "N", default_value_t = 200.0, value_parser = parse_rate)]
    rate: f64,
    /// How long the load of each run lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0, value_parser = parse_seconds)]
    seconds: f64,
    /// One JSON object a run on standard output, and nothing else there
    #[arg(long)]
    pub(crate) json: bool,
}

fn parse_strategy(word: &str) -> Result<Strategy, String> {
    let found = Strategy::ALL.into_iter().find(|strategy| strategy.as_str() == word);
    found.ok_or_else(|| format!("the strategies are {}", Strategy::ALL.map(Strategy::as_str).join(", ")))
}

/// Up to what the load generator, a proxy and the replicas can do together on two cores.
fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (10.0..=2_000.0).contains(rate));
    rate.ok_or_else(|| "a number from 10 to 2000 is needed".to_owned())
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (LEAST_SECONDS..=MOST_SECONDS).contains(seconds));
    seconds.ok_or_else(|| format!("a number from {LEAST_SECONDS} to {MOST_SECONDS} is needed"))
}

impl Cli {
    /// All runs, in their order: first what happens without steadfaas.
    pub(crate) fn trials(&self) -> Vec<Trial> {
        let strategies = if self.strategies.is_empty() { &Strategy::ALL[..] } else { &self.strategies };
        let unprotected = std::iter::once(script::unprotected());
        let proxies = unprotected.chain(strategies.iter().copied().map(script::protected));
        proxies.map(|proxy| script::trial(proxy, self.faults, self.rate, self.seconds)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &str) -> Vec<String> {
        let cli = Cli::try_parse_from(std::iter::once("demo").chain(words.split_whitespace())).unwrap();
        cli.trials().iter().map(|trial| trial.proxy.to_string()).collect()
    }

    #[test]
    fn each_strategy_is_shown_after_what_happens_without() {
        let expected = [
            "envoy-istio",
            "steadfaas:retry",
            "steadfaas:active-standby",
            "steadfaas:request-replication",
            "steadfaas:hedged",
        ];
        assert_eq!(names(""), expected);
    }

    #[test]
    fn strategies_that_are_asked_for_are_shown_alone() {
        assert_eq!(names("--strategy request-replication"), ["envoy-istio", "steadfaas:request-replication"]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for words in ["--strategy quorum", "--fault none", "--rate 1", "--seconds 5", "--seconds soon"] {
            let args = std::iter::once("demo").chain(words.split(' '));
            assert!(Cli::try_parse_from(args).is_err(), "{words}");
        }
    }
}
