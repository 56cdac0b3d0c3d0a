//! What holds whatever the function, the load, the replicas and the fault are like. Every run of these tests tries the
//! same scenarios; one that breaks a rule is made as small as it still does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

#[path = "properties/drawn.rs"]
mod drawn;

use drawn::{Drawn, Fault, Functions};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use steadfaas_simulation::load::{Arrivals, MS, SECOND, Service};
use steadfaas_simulation::replica::BACKLOG;
use steadfaas_simulation::run;
use steadfaas_simulation::scenario::Scenario;
use steadfaas_simulation::seen::Seen;

/// How many scenarios each rule is held against.
const SCENARIOS: u32 = 150;

/// Each worker learns its own caution: that many hedges in vain it may cost until hedges have become rare.
const LEARNING: u64 = 12;

/// A fault of 2 s is over at the latest 2 s after the trial before; the next one is due 4 s after that, and takes the
/// first request that comes then. One that is unlucky is followed by another after 8 s.
fn comeback(scenario: &Scenario) -> f64 {
    1_000.0 * (4.0 + 8.0 + 2.0 / scenario.rate)
}

fn comes_back(scenario: &Scenario, seen: &Seen) -> Result<(), TestCaseError> {
    let aside = seen.wrongly_aside_longest_ms;
    prop_assert!(aside <= comeback(scenario), "set aside for {aside} ms");
    Ok(())
}

fn holds(drawn: &Drawn, rule: impl Fn(&Scenario, &Seen) -> Result<(), TestCaseError>) {
    let config = Config { cases: SCENARIOS, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(&drawn.scenarios(), |scenario| rule(&scenario, &run(&scenario).unwrap()));
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn extra_attempts_never_exceed_the_budgets_share_and_burst() {
    holds(&Drawn { repeatable: 0.8, ..Drawn::anything() }, |_, seen| {
        prop_assert!(
            seen.extra <= seen.allowed_extra.cast_signed(),
            "{} > {}",
            seen.extra,
            seen.allowed_extra
        );
        Ok(())
    });
}

#[test]
fn requests_that_must_not_repeat_run_at_most_once() {
    holds(&Drawn { repeatable: 0.5, ..Drawn::anything() }, |_, seen| {
        prop_assert!(seen.most_runs_of_unrepeatable <= 1, "{} times", seen.most_runs_of_unrepeatable);
        Ok(())
    });
}

#[test]
fn no_repeatable_request_fails_when_one_replica_does() {
    let steady = Drawn { faults: Fault::OF_ONE.to_vec(), functions: Functions::Steady, ..Drawn::anything() };
    holds(&steady, |_, seen| {
        prop_assert_eq!(seen.failed_repeatable, 0);
        Ok(())
    });
}

#[test]
fn bursts_that_a_steady_functions_frozen_replica_has_got_are_rescued_soon_after_they_are_late() {
    let bursts = Drawn {
        faults: vec![Fault::Freeze, Fault::Slow],
        functions: Functions::Steady,
        arrivals: vec![Arrivals::Burst],
        ..Drawn::anything()
    };
    holds(&bursts, |_, seen| {
        let limit = 8.0 * seen.p50_ms;
        prop_assert!(seen.max_ms <= limit, "{} > {limit}", seen.max_ms);
        Ok(())
    });
}

/// Where well replicas of an uneven function are set aside wrongly, the one that answers 503 is among those that are left.
#[test]
fn hardly_any_request_of_an_uneven_function_fails_when_one_replica_does() {
    holds(&Drawn { faults: Fault::OF_ONE.to_vec(), ..Drawn::anything() }, |_, seen| {
        prop_assert!(seen.failed_repeatable <= seen.requests / 1_000, "{}", seen.failed_repeatable);
        Ok(())
    });
}

#[test]
fn a_stall_of_all_fails_nobody_and_leaves_nobody_aside() {
    let stalls = Drawn { faults: vec![Fault::Stall], functions: Functions::Steady, ..Drawn::anything() };
    holds(&stalls, |scenario, seen| {
        // Where more wait than the replicas' kernels have room for, connections time out instead of waiting, and each
        // attempt that does takes its part of the patience: some fail then.
        let room = (BACKLOG * scenario.replicas) as f64;
        let waiting = scenario.rate * 2.0;
        prop_assert!(seen.failed == 0 || 2.0 * waiting > room, "{}", seen.failed);
        comes_back(scenario, seen)
    });
}

#[test]
fn a_replica_that_is_well_again_comes_back() {
    let passing =
        Drawn { faults: Fault::THAT_END.to_vec(), functions: Functions::Steady, ..Drawn::anything() };
    holds(&passing, comes_back);
}

#[test]
fn the_last_well_replica_is_never_set_aside_for_being_slow() {
    holds(&Drawn::anything(), |_, seen| {
        prop_assert_eq!(seen.last_one_set_aside, 0);
        Ok(())
    });
}

#[test]
fn never_all_are_set_aside_while_one_is_well() {
    let faults = [vec![Fault::None], Fault::OF_ONE.to_vec()].concat();
    holds(&Drawn { faults, functions: Functions::Steady, ..Drawn::anything() }, |_, seen| {
        prop_assert_eq!(seen.ticks_without_any_well, 0);
        Ok(())
    });
}

/// An answer that is merely slow looks like a fault, and several in a row are slow now and then: the oftener the more
/// requests there are. Of a function of which every tenth takes ten times as long it is a tenth of the time at a thousand a
/// second with eight workers, of lognormal ones and such with a heavy tail next to none.
#[test]
fn a_function_of_uneven_speed_keeps_its_replicas_most_of_the_time() {
    holds(&Drawn { faults: vec![Fault::None], ..Drawn::anything() }, |scenario, seen| {
        let ticks = scenario.lasts / (100 * MS) * scenario.replicas as u64;
        let is_kept = seen.wrongly_aside_ticks * 4 <= ticks;
        prop_assert!(is_kept, "{} of {ticks}", seen.wrongly_aside_ticks);
        Ok(())
    });
}

#[test]
fn a_steady_function_is_hardly_ever_hedged() {
    let steady = Drawn { faults: vec![Fault::None], functions: Functions::Steady, ..Drawn::anything() };
    holds(&steady, |scenario, seen| {
        let learning = LEARNING * scenario.workers as u64;
        // `hedged` hedges by choice, as soon as the body is over: more often, and what was in flight meanwhile as well.
        let by_choice = scenario.settings.iter().any(|(_, value)| value == "hedged");
        let limit = if by_choice { seen.requests / 100 + seen.bursts } else { seen.requests * 5 / 1_000 };
        // A check of a standby is hedged after 100 ms, whatever the function's speed.
        let limit = limit + seen.checks;
        prop_assert!(seen.hedged <= limit + learning, "{} > {limit}", seen.hedged);
        Ok(())
    });
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let scenario =
        Scenario { service: Service::HeavyTail(5.0, 1.5), lasts: 10 * SECOND, ..Scenario::default() };
    let runs = [1, 1, 2].map(|seed| format!("{:?}", run(&Scenario { seed, ..scenario.clone() }).unwrap()));
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}
