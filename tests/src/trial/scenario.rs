//! The benchmark's scenarios: a fault, the function that it strikes, and over what time it is looked at.

use std::str::FromStr;
use std::time::Duration;

use super::fault::{Fault, STALL};
use crate::fib::Options;
use crate::load::Aside;
use crate::record::WINDOW;

/// When a fault strikes: long enough after the start for the proxy to know its replicas.
const FAULT_AT: Duration = Duration::from_secs(8);

/// A fault with all that belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name, as written on the command line.
    pub name: &'static str,
    /// What happens, in words.
    pub words: &'static str,
    /// The fault, if there is one.
    pub fault: Option<Fault>,
    /// When it strikes; where there is none, from when clients are watched closely.
    pub at: Duration,
    /// Over what time from then on latencies are taken.
    pub window: Duration,
    /// How long the load lasts, in seconds.
    pub seconds: f64,
    /// What the function is like.
    pub function: Options,
    /// Which requests go to its other path.
    pub aside: Option<Aside>,
}

impl Scenario {
    /// A fault of a 10 ms function after 8 s of a load of 20 s, looked at for 5 s.
    const fn of(name: &'static str, fault: Fault, words: &'static str) -> Self {
        Self {
            name,
            words,
            fault: Some(fault),
            at: FAULT_AT,
            window: WINDOW,
            seconds: 20.0,
            function: Options::TEN_MS,
            aside: None,
        }
    }

    /// A minute in which nothing is wrong.
    pub const CALM: Self = Self {
        fault: None,
        at: Duration::ZERO,
        window: Duration::from_secs(60),
        seconds: 60.0,
        ..Self::of("none", Fault::Kill, "nothing is wrong")
    };

    /// All of them, in the order in which reports show them.
    pub const ALL: [Self; 14] = [
        Self::of("kill", Fault::Kill, "one replica is killed (SIGKILL)"),
        Self::of("freeze", Fault::Freeze, "one replica is frozen (SIGSTOP)"),
        Self::of(
            "slow_all",
            Fault::Misbehaves("slow=200ms&probes"),
            "one replica takes 200 ms longer, for probes too",
        ),
        Self::of(
            "slow_fn",
            Fault::Misbehaves("slow=200ms"),
            "one replica takes 200 ms longer, its probes are fine",
        ),
        Self {
            // Over a minute, as it is about one request in twenty.
            seconds: 68.0,
            window: Duration::from_secs(60),
            ..Self::of(
                "straggle",
                Fault::AllMisbehave("slow=200ms&share=0.05"),
                "on both replicas, 5 % of requests take 200 ms longer",
            )
        },
        Self::of("shift", Fault::AllMisbehave("slow=150ms"), "the function takes 150 ms longer everywhere"),
        Self {
            function: Options { work: Duration::from_millis(2), concurrency: Some(1), ..Options::TEN_MS },
            ..Self::of(
                "storm",
                Fault::Storm,
                "both replicas of a 2 ms function with one worker each stall for 2 s",
            )
        },
        Self::of("lost_node", Fault::LostNode, "one replica's node is lost: packets are dropped"),
        Self::of(
            "answer_503",
            Fault::Misbehaves("answer=503&probes"),
            "one replica answers 503 to everything",
        ),
        Self::of(
            "reset_10",
            Fault::Misbehaves("answer=reset&share=0.1"),
            "one replica resets 10 % of its answers",
        ),
        Self::of("flap", Fault::Flap, "one replica dies and returns every 0.5 s"),
        Self::CALM,
        Self {
            name: "lognormal",
            words: "nothing is wrong; service time lognormal, median 10 ms, sigma 0.5",
            function: Options { spread: 0.5, ..Options::TEN_MS },
            ..Self::CALM
        },
        Self {
            at: Duration::from_secs(20),
            seconds: 32.0,
            function: Options { slow_work: Some(Duration::from_millis(80)), ..Options::TEN_MS },
            aside: Some(Aside { path: "/slow?n=15", every: 5 }),
            ..Self::of(
                "paths",
                Fault::Freeze,
                "one request in five goes to a path of 80 ms; after 20 s one replica is frozen",
            )
        },
    ];

    /// The one of this name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name == name)
    }

    /// When its fault ends by itself, if it does.
    #[must_use]
    pub fn ends_at(&self) -> Option<Duration> {
        (self.fault == Some(Fault::Storm)).then_some(self.at + STALL)
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let names = || Self::ALL.map(|scenario| scenario.name).join(", ");
        Self::named(word).ok_or_else(|| format!("no fault {word:?}: there are {}", names()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_found_by_its_name_and_watched_to_its_end() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.name.parse::<Scenario>().unwrap().words, scenario.words);
            assert!((scenario.at + scenario.window).as_secs_f64() <= scenario.seconds, "{}", scenario.name);
        }
        assert!("gone".parse::<Scenario>().unwrap_err().contains("kill, freeze, slow_all"));
    }

    #[test]
    fn what_replicas_are_told_is_understood() {
        for scenario in Scenario::ALL {
            if let Some(Fault::Misbehaves(words) | Fault::AllMisbehave(words)) = scenario.fault {
                assert_ne!(fib::fault::Fault::parse(words).unwrap(), fib::fault::Fault::default());
            }
        }
    }
}
