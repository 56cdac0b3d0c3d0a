//! What happens in a run, and when; and what stands in front of the replicas.

use std::time::Duration;

use clap::ValueEnum;
use steadfaas_core::policy::Strategy;
use steadfaas_tests::proxy::Choice;
use steadfaas_tests::record::WINDOW;
use steadfaas_tests::trial::{Act, Event, Fault, Scenario, Trial};

/// When the first fault strikes: every proxy knows its replicas by then, and there is a calm to compare with.
pub(crate) const FIRST: Duration = Duration::from_secs(3);

/// How long a killed replica is gone when another fault is to come: what a restart takes in a cluster that has the
/// image already.
const GONE: Duration = Duration::from_millis(1_500);

/// When the second fault strikes: within the 5 s after the first one over which latencies are taken, and long enough
/// after the return of the killed replica for it to be used again.
const SECOND: Duration = Duration::from_secs(6);

/// How long the load goes on after the last replica is back, in seconds.
const LAST_CALM: f64 = 1.0;

/// The shortest load: the second fault lasts some seconds.
pub(crate) const LEAST_SECONDS: f64 = 10.0;

/// The longest load: nothing new happens in a longer one.
pub(crate) const MOST_SECONDS: f64 = 120.0;

/// What happens to replicas in each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Faults {
    /// One is killed (SIGKILL), and started again
    Kill,
    /// One is frozen (SIGSTOP), and thawed
    Freeze,
    /// One is killed and started again, then one is frozen and thawed
    Both,
}

impl Faults {
    /// What reports call them.
    fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Freeze => "freeze",
            Self::Both => "kill+freeze",
        }
    }

    /// The events of a load that lasts so long. With the usual length the last fault lasts longer than clients wait.
    pub(crate) fn events(self, seconds: f64) -> Vec<Event> {
        let end = Duration::from_secs_f64(seconds - LAST_CALM);
        let strike = |at, fault| Event { at, act: Act::Strike(fault) };
        let undo = |at| Event { at, act: Act::Undo };
        match self {
            Self::Kill => vec![strike(FIRST, Fault::Kill), undo(end)],
            Self::Freeze => vec![strike(FIRST, Fault::Freeze), undo(end)],
            Self::Both => {
                vec![strike(FIRST, Fault::Kill), undo(FIRST + GONE), strike(SECOND, Fault::Freeze), undo(end)]
            }
        }
    }
}

/// Envoy with what Istio gives every service.
pub(crate) fn unprotected() -> Choice {
    Choice::Envoy("envoy-istio")
}

/// Envoy with steadfaas and this strategy.
pub(crate) fn protected(strategy: Strategy) -> Choice {
    Choice::Steadfaas(vec![("strategy".to_owned(), strategy.as_str().to_owned())])
}

/// One run.
pub(crate) fn trial(proxy: Choice, faults: Faults, rate: f64, seconds: f64) -> Trial {
    Trial {
        name: faults.name().to_owned(),
        events: faults.events(seconds),
        moment: FIRST,
        window: WINDOW,
        rate,
        seconds,
        ..Trial::new(proxy, &Scenario::CALM)
    }
}

#[cfg(test)]
mod tests {
    use steadfaas_tests::load::CLIENT_TIMEOUT;

    use super::*;

    const ALL: [Faults; 3] = [Faults::Kill, Faults::Freeze, Faults::Both];

    #[test]
    fn events_come_in_their_order_and_every_fault_ends_before_the_load() {
        for (faults, seconds) in ALL.into_iter().flat_map(|all| [(all, LEAST_SECONDS), (all, MOST_SECONDS)]) {
            let events = faults.events(seconds);
            assert!(events.is_sorted_by(|one, next| one.at < next.at), "{events:?}");
            for pair in events.chunks(2) {
                assert!(matches!(pair, [Event { act: Act::Strike(_), .. }, Event { act: Act::Undo, .. }]));
            }
            assert!(events.last().unwrap().at < Duration::from_secs_f64(seconds));
        }
    }

    #[test]
    fn latencies_are_taken_over_both_faults() {
        assert!(FIRST < SECOND && SECOND < FIRST + WINDOW);
    }

    #[test]
    fn a_replica_stays_frozen_for_longer_than_clients_wait() {
        let events = Faults::Both.events(20.0);
        assert!(events[3].at - events[2].at > CLIENT_TIMEOUT);
    }

    #[test]
    fn the_whole_demo_takes_less_than_two_minutes() {
        let one = trial(unprotected(), Faults::Both, 200.0, 20.0).duration();
        // Without steadfaas, and with each strategy.
        let runs = 1 + u32::try_from(Strategy::ALL.len()).unwrap();
        assert!(one * runs < Duration::from_secs(120));
    }
}
