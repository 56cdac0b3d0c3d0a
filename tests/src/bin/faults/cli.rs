//! What is asked for on the command line.

mod all;

use clap::Parser;
use steadfaas_tests::load::Arrivals;
use steadfaas_tests::proxy::Choice;
use steadfaas_tests::steady::{Crowd, Steady};
use steadfaas_tests::trial::{Scenario, Trial};

pub(crate) use all::{All, Plan};

/// Measures what clients see of a fault: an open-loop load on replicas of a 10 ms function behind a proxy, the fault
/// after 8 s. Each request is timed from when it was due, waits 10 s at most and is not repeated by its client.
#[derive(Debug, Parser)]
#[command(name = "cargo faults")]
pub(crate) struct Cli {
    /// What happens: kill, freeze, slow_all, slow_fn, straggle, shift, storm, lost_node, answer_503, reset_10, flap,
    /// none, lognormal or paths; may be given several times
    #[arg(long = "fault", value_name = "FAULT", default_value = "kill")]
    faults: Vec<Scenario>,
    /// What stands in front: steadfaas (active-standby, idempotent, nothing tuned),
    /// `steadfaas:<strategy>[,option=value…]`, envoy-plain, envoy-istio, envoy-priority, envoy-hedge50, haproxy or nginx;
    /// may be given several times [default: steadfaas]
    #[arg(long = "proxy", value_name = "PROXY")]
    proxies: Vec<Choice>,
    #[command(flatten)]
    pub(crate) all: All,
    /// Requests a second
    #[arg(long, value_name = "N", default_value_t = 200.0, value_parser = parse_rate)]
    rate: f64,
    /// How long the load lasts, at least until a second after the fault [default: 20, or what the fault needs]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    seconds: Option<f64>,
    /// When requests are due: constant, poisson or burst
    #[arg(long, value_name = "HOW", default_value = "constant")]
    arrivals: Arrivals,
    /// What poisson arrivals are drawn from; each further run takes the next number
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Replicas of the function
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=20))]
    replicas: u8,
    /// Workers of the proxy
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    workers: u32,
    /// Runs of each fault and proxy, in turn; with --all peers are run once [default: 1, with --all 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    runs: Option<u64>,
    /// Start Envoys as they come, with timers that go by the kernel's ticks, and not with exact ones
    /// (EVENT_PRECISE_TIMER)
    #[arg(long, conflicts_with = "steady")]
    coarse_timers: bool,
    /// Measure instead what steadfaas (each --proxy steadfaas:…) costs one worker while all is well, against plain Envoy
    /// and the stock no-op wasm filter
    #[arg(long, conflicts_with_all = ["faults", "all", "rate", "seconds", "arrivals", "seed", "replicas", "workers", "runs"])]
    pub(crate) steady: bool,
    /// With --steady: what this many protected functions in one proxy cost, against one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=20_000), requires = "steady", conflicts_with = "proxies")]
    functions: Option<u16>,
    /// Rounds of --steady; in each every variant is loaded for a second
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000), requires = "steady")]
    rounds: u16,
    /// One JSON object a run on standard output, and nothing else there
    #[arg(long)]
    pub(crate) json: bool,
}

/// Up to what the load generator and two cores can do.
fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (1.0..=5_000.0).contains(rate));
    rate.ok_or_else(|| "a number from 1 to 5000 is needed".to_owned())
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (1.0..=180.0).contains(seconds));
    seconds.ok_or_else(|| "a number from 1 to 180 is needed".to_owned())
}

impl Cli {
    fn proxies(&self) -> Vec<Choice> {
        if self.proxies.is_empty() { vec![Choice::steadfaas()] } else { self.proxies.clone() }
    }

    /// What `--steady` measures.
    ///
    /// # Errors
    /// A proxy was named that isn't steadfaas.
    pub(crate) fn steady(&self) -> anyhow::Result<Steady> {
        let policy = |proxy| match proxy {
            Choice::Steadfaas(policy) => Ok(policy),
            other => {
                anyhow::bail!("--steady measures steadfaas, not {other}: plain Envoy is always beside it")
            }
        };
        let policies = self.proxies().into_iter().map(policy).collect::<anyhow::Result<_>>()?;
        Ok(Steady { policies, rounds: usize::from(self.rounds) })
    }

    /// What `--steady --functions` measures, where it is asked for.
    pub(crate) fn crowd(&self) -> Option<Crowd> {
        let rounds = usize::from(self.rounds);
        self.functions.map(|functions| Crowd { functions: usize::from(functions), rounds })
    }

    /// What `--all` runs.
    ///
    /// # Errors
    /// There is no such row.
    pub(crate) fn plan(&self) -> anyhow::Result<Plan> {
        let mut plan = self.all.plan(&self.proxies(), self.runs.unwrap_or(5))?;
        plan.trials.iter_mut().for_each(|trial| trial.exact_timers = !self.coarse_timers);
        Ok(plan)
    }

    /// How long the load of a scenario lasts: some of what comes after the fault is always seen.
    fn seconds(&self, scenario: &Scenario) -> f64 {
        let least = scenario.at.as_secs_f64() + 1.0;
        self.seconds.unwrap_or(scenario.seconds).max(least)
    }

    /// All runs of the faults asked for, in their order: proxies take turns, so that whatever else the machine does hits them alike.
    pub(crate) fn trials(&self) -> Vec<Trial> {
        let mut trials = Vec::new();
        for scenario in &self.faults {
            for run in 0..self.runs.unwrap_or(1) {
                let trial = |proxy| Trial {
                    rate: self.rate,
                    seconds: self.seconds(scenario),
                    arrivals: self.arrivals,
                    seed: self.seed.wrapping_add(run),
                    replicas: self.replicas,
                    workers: self.workers,
                    exact_timers: !self.coarse_timers,
                    ..Trial::new(proxy, scenario)
                };
                trials.extend(self.proxies().into_iter().map(trial));
            }
        }
        trials
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Cli {
        Cli::try_parse_from(std::iter::once("faults").chain(words.split_whitespace())).unwrap()
    }

    #[test]
    fn a_run_is_by_default_what_the_numbers_are_defined_with() {
        let trials = parsed("").trials();
        let [trial] = trials.as_slice() else { panic!("one run, not {}", trials.len()) };
        assert_eq!((trial.rate, trial.seconds, trial.replicas, trial.workers), (200.0, 20.0, 2, 1));
        assert_eq!(trial.proxy.to_string(), "steadfaas");
    }

    #[test]
    fn proxies_take_turns() {
        let trials =
            parsed("--fault freeze --fault none --proxy nginx --proxy envoy-istio --runs 2").trials();
        let names: Vec<_> = trials.iter().map(|trial| (trial.proxy.to_string(), trial.seed)).collect();
        let half = [("nginx", 1), ("envoy-istio", 1), ("nginx", 2), ("envoy-istio", 2)];
        let expected: Vec<_> =
            half.iter().chain(&half).map(|(name, seed)| ((*name).to_owned(), *seed)).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for words in [
            "--steady --fault kill",
            "--rounds 3",
            "--fault gone",
            "--rate 0",
            "--seconds 0",
            "--all --fault kill",
            "--page here.html",
            "--steady --all",
            "--arrivals often",
        ] {
            let args = std::iter::once("faults").chain(words.split(' '));
            assert!(Cli::try_parse_from(args).is_err(), "{words}");
        }
    }
}
