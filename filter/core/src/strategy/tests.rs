//! What each strategy plans, replica by replica.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::admin::Host;
use crate::lane::{Expected, InFlight};
use crate::policy::{Placement, WrittenPolicy};
use crate::view::Roles;

mod placement;
mod waiting;

const NOW: Millis = Millis(1_000_000);
const DELAY: Duration = Duration::from_millis(15);

struct Stage {
    policy: Policy,
    view: View,
    lanes: Vec<Rc<Lane>>,
}

fn stage(replicas: usize, settings: &[(&str, &str)]) -> Stage {
    placed(replicas, settings, Placement::default())
}

fn placed(replicas: usize, settings: &[(&str, &str)], placement: Placement) -> Stage {
    let settings: BTreeMap<String, String> =
        settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let written = WrittenPolicy { placement, ..WrittenPolicy::new("fib", settings) };
    let policy = Policy::compile(&written).unwrap();
    let hosts: Vec<Host> = (1..=replicas).map(|n| Host::well(format!("10.0.0.{n}:8080"))).collect();
    let mut view = View::default();
    view.observe(&hosts, &Roles::of(&policy), NOW);
    let lanes = view.replicas.iter().map(|_| Rc::default()).collect();
    Stage { policy, view, lanes }
}

fn enter(lane: &Rc<Lane>) -> InFlight {
    InFlight::enter(lane, Some(Expected { after: DELAY, is_often_late: false }), Micros(NOW.0 * 1_000))
}

impl Stage {
    fn situation(&self, may_repeat: bool, turn: usize) -> Situation<'_, Rc<Lane>> {
        Situation {
            policy: &self.policy,
            view: &self.view,
            lanes: &self.lanes,
            may_repeat,
            terms: Terms {
                delay: DELAY,
                silence: DELAY,
                reserved: self.policy.retries(),
                ..Terms::default()
            },
            turn,
            now: NOW,
        }
    }

    fn on_terms(&self, change: impl Fn(&mut Terms)) -> Situation<'_, Rc<Lane>> {
        let mut situation = self.situation(true, 0);
        change(&mut situation.terms);
        situation
    }

    fn plan(&self) -> Plan {
        self.situation(true, 0).plan(None)
    }

    fn suspect(&mut self, place: usize) {
        assert!(self.view.suspect(place, false, &Roles::of(&self.policy), NOW));
    }

    fn active(&self) -> Vec<usize> {
        (0..self.view.replicas.len()).filter(|place| self.view.replicas[*place].active).collect()
    }
}

#[test]
fn retry_leads_to_the_least_busy_and_then_to_another() {
    let stage = stage(3, &[("strategy", "retry")]);
    let busy: Vec<InFlight> = [0, 0, 2].into_iter().map(|place| enter(&stage.lanes[place])).collect();
    assert_eq!(stage.plan().order, [1, 2, 0]);
    drop(busy);
    assert_eq!(stage.lanes[0].in_flight(), 0, "places are given back");
}

#[test]
fn equals_take_turns() {
    let stage = stage(3, &[("strategy", "retry")]);
    let firsts: Vec<_> = (0..3).filter_map(|turn| stage.situation(true, turn).plan(None).first()).collect();
    assert_eq!(firsts.iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "{firsts:?}");
}

#[test]
fn the_last_replica_fills_the_list_so_that_envoy_never_picks_one_itself() {
    let pair = stage(2, &[("strategy", "retry"), ("tolerate", "2")]);
    assert_eq!(pair.plan().order.len(), 4);
    assert_eq!(pair.plan().max_retries, None, "as in config");
}

#[test]
fn a_full_active_one_spills_to_the_standby_and_full_ones_share_by_load() {
    let stage = stage(2, &[("strategy", "active-standby")]);
    let (active, standby) = (stage.active()[0], 1 - stage.active()[0]);
    let mut busy: Vec<InFlight> = (0..8).map(|_| enter(&stage.lanes[active])).collect();
    assert_eq!(stage.plan().first(), Some(standby));
    busy.extend((0..9).map(|_| enter(&stage.lanes[standby])));
    assert_eq!(stage.plan().first(), Some(active));
}

#[test]
fn what_the_budget_has_no_room_for_runs_once() {
    let stage = stage(2, &[("strategy", "active-standby")]);
    let with = |reserved| stage.on_terms(|terms| terms.reserved = reserved).plan(None);
    let none = with(0);
    assert_eq!((none.repeat, none.hedge_after, none.order.len()), (Repeat::Never, None, 3));
    let one = with(1);
    assert_eq!((one.repeat, one.hedge_after), (Repeat::AsPolicySays, Some(DELAY)));
    assert_eq!((one.order.len(), one.max_retries), (2, Some(1)));
    let both = with(2);
    assert_eq!((both.order.len(), both.max_retries), (3, None), "as in config");
}

#[test]
fn a_function_with_too_much_to_do_or_little_budget_is_hedged_only_where_it_hangs() {
    let stage = stage(2, &[("strategy", "hedged")]);
    let spared = stage.on_terms(|terms| terms.is_spared = true).plan(None);
    let short = stage.on_terms(|terms| terms.is_short = true).plan(None);
    assert_eq!(spared, short);
    assert_eq!((short.hedge_after, short.repeat), (Some(16 * DELAY), Repeat::AsPolicySays));
}

#[test]
fn one_that_fell_silent_is_found_before_the_next_plan() {
    let stage = stage(2, &[("strategy", "active-standby")]);
    let active = stage.active()[0];
    let later = Micros(NOW.0 * 1_000 + 15_001);
    let waiting: Vec<InFlight> = (0..3).map(|_| enter(&stage.lanes[active])).collect();
    assert_eq!(silent(&stage.view, &stage.lanes, Micros(NOW.0 * 1_000 + 15_000)), None);
    assert_eq!(silent(&stage.view, &stage.lanes, later), Some(active));
    drop(waiting);
    assert_eq!(silent(&stage.view, &stage.lanes, later), None);
}

#[test]
fn active_standby_keeps_to_the_active_one() {
    let stage = stage(2, &[("strategy", "active-standby")]);
    let (active, standby) = (stage.active()[0], 1 - stage.active()[0]);
    for turn in 0..4 {
        assert_eq!(stage.situation(true, turn).plan(None).order, [active, standby, standby]);
    }
}

#[test]
fn the_next_attempt_goes_to_another_active_one_before_a_standby() {
    let stage = stage(3, &[("strategy", "active-standby")]);
    let order = stage.plan().order;
    assert!(stage.active().contains(&order[0]) && stage.active().contains(&order[1]));
    assert!(!stage.active().contains(&order[2]));
}

#[test]
fn a_suspect_is_in_no_plan() {
    let mut stage = stage(3, &[("strategy", "active-standby")]);
    let gone = stage.plan().order[0];
    stage.suspect(gone);
    assert!(!stage.plan().order.contains(&gone));
}

#[test]
fn hedge_delays_are_whole_milliseconds() {
    let stage = stage(2, &[("strategy", "retry")]);
    for (micros, millis) in [(14_499, 14), (14_500, 15), (200, 1)] {
        let delay = Duration::from_micros(micros);
        let plan = stage.on_terms(|terms| terms.delay = delay).plan(None);
        assert_eq!(plan.hedge_after, Some(Duration::from_millis(millis)));
    }
}

#[test]
fn what_must_not_run_twice_is_never_hedged() {
    for strategy in ["retry", "request-replication"] {
        let stage = stage(2, &[("strategy", strategy)]);
        let plan = stage.situation(false, 0).plan(None);
        assert_eq!((plan.hedge_after, plan.repeat, plan.order.len()), (None, Repeat::Never, 3), "{strategy}");
    }
}

#[test]
fn replication_starts_k_and_one_a_millisecond_apart() {
    let stage = stage(4, &[("strategy", "request-replication"), ("tolerate", "2")]);
    let plan = stage.plan();
    assert_eq!((plan.order.len(), plan.max_retries), (3, Some(2)));
    assert_eq!(plan.hedge_after, Some(NEXT_START_AFTER));
}

#[test]
fn one_that_lost_its_start_goes_second_until_it_gets_another() {
    let stage = stage(2, &[("strategy", "request-replication")]);
    let first = stage.plan().order[0];
    assert!(!request_replication::raced(&stage.lanes[first], &stage.lanes[1 - first], true, NOW));
    assert_eq!(stage.plan().order, [1 - first, first]);
    let later = Situation { now: NOW.after(Duration::from_millis(250)), ..stage.situation(true, 0) };
    assert_eq!(later.plan(None).order[0], first, "another start");
    assert_eq!(later.plan(None).order[0], 1 - first, "one request of it");
}

#[test]
fn one_that_loses_every_start_is_set_aside_and_one_that_wins_as_second_is_not() {
    let stage = stage(2, &[("strategy", "request-replication")]);
    let first = stage.plan().order[0];
    let (lane, other) = (&stage.lanes[first], &stage.lanes[1 - first]);
    let mut now = NOW;
    let mut verdicts = Vec::new();
    for _ in 0..LOSSES_TO_SUSPECT {
        let situation = Situation { now, ..stage.situation(true, 0) };
        let _ = situation.plan(None);
        verdicts.push(request_replication::raced(lane, other, true, now));
        now = now.after(Duration::from_millis(250));
    }
    assert_eq!(verdicts, [false, false, false, true]);
    assert!(!request_replication::raced(other, lane, true, now), "it won as second");
    assert_eq!(lane.losses(), 0);
}

#[test]
fn a_trial_is_led_to_its_suspect_and_hedged_even_where_nothing_is_known_of_the_speed() {
    let mut stage = stage(2, &[("strategy", "active-standby")]);
    let suspect = stage.plan().order[0];
    stage.suspect(suspect);
    let plan = stage.situation(true, 0).plan(Some(suspect));
    assert_eq!(plan.order, [suspect, 1 - suspect, 1 - suspect]);
    assert_eq!((plan.hedge_after, plan.is_check), (Some(DELAY), true));
    let cold = stage.on_terms(|terms| terms.delay = Duration::from_secs(1));
    assert_eq!(cold.plan(Some(suspect)).hedge_after, Some(CHECK_HEDGE_AFTER));
}

#[test]
fn a_standby_that_is_only_looked_after_has_its_usual_time() {
    let stage = stage(2, &[("strategy", "active-standby")]);
    let standby = stage.plan().order[1];
    let plan = stage.situation(true, 0).plan(Some(standby));
    assert_eq!((plan.first(), plan.hedge_after, plan.is_check), (Some(standby), Some(DELAY), true));
}

#[test]
fn a_copy_that_is_given_its_turn_runs_a_race_and_no_further_copy_starts() {
    let stage = stage(3, &[("strategy", "request-replication")]);
    let second = stage.plan().order[1];
    let plan = stage.situation(true, 0).plan(Some(second));
    assert_eq!((plan.order.len(), plan.first(), plan.is_check), (2, Some(second), false));
}

#[test]
fn doubtful_replicas_come_last() {
    let mut stage = stage(3, &[("strategy", "retry")]);
    stage.view.replicas[0].doubtful = true;
    let _busy = [enter(&stage.lanes[1]), enter(&stage.lanes[2])];
    assert_eq!(stage.plan().order[2], 0);
}

proptest! {
    #[test]
    fn a_plan_never_costs_more_than_the_policy_says(
        replicas in 1..20_usize,
        tolerate in 1..5_u8,
        strategy in prop_oneof![Just("retry"), Just("active-standby"), Just("request-replication"), Just("hedged")],
        suspects in proptest::collection::vec(0..20_usize, 0..20),
        busy in proptest::collection::vec(0..20_usize, 0..50),
        may_repeat: bool,
        turn: usize,
    ) {
        let mut stage = stage(replicas, &[("strategy", strategy), ("tolerate", &tolerate.to_string())]);
        let roles_policy = stage.policy.clone();
        for place in suspects {
            stage.view.suspect(place, false, &Roles::of(&roles_policy), NOW);
        }
        let _busy: Vec<InFlight> =
            busy.into_iter().filter_map(|place| stage.lanes.get(place)).map(enter).collect();
        let plan = stage.situation(may_repeat, turn).plan(None);
        prop_assert_eq!(plan.is_desperate, stage.view.well() == 0);
        prop_assert!(plan.is_desperate || plan.order.len() <= usize::from(tolerate) + 2);
        prop_assert!(plan.is_desperate || plan.order.iter().all(|place| stage.view.replicas[*place].is_well()));
        if plan.hedge_after.is_some() {
            let retries = plan.max_retries.unwrap_or(stage.policy.retries());
            prop_assert_eq!(plan.order.len(), usize::try_from(retries).unwrap() + 1);
            prop_assert!(may_repeat);
        }
        let is_race = strategy == "request-replication" && may_repeat && stage.view.well() > 1;
        if is_race {
            prop_assert_eq!(plan.order.len(), (usize::from(tolerate) + 1).min(stage.view.well()));
        }
        prop_assert!(may_repeat || plan.repeat == Repeat::Never);
    }
}
