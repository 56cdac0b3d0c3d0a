//! Requests that wait, and which suspects they are led to.

use super::*;
use crate::view::FIRST_TRIAL_AFTER;

#[test]
fn a_request_with_nowhere_else_to_go_waits_until_it_is_taken() {
    let alone = stage(1, &[("strategy", "active-standby")]);
    let plan = |may_repeat| alone.situation(may_repeat, 0).plan(None);
    assert_eq!((plan(true).order, plan(true).hedge_after), (vec![0], None));
    assert_eq!((plan(true).repeat, plan(true).max_retries), (Repeat::WhenBroken, Some(RESTART_PATIENCE)));
    assert_eq!((plan(false).repeat, plan(false).max_retries), (Repeat::Never, Some(PATIENCE)));
}

#[test]
fn a_suspect_that_may_hang_is_asked_again_but_not_in_a_hurry() {
    let mut stage = stage(3, &[("strategy", "active-standby")]);
    let roles_policy = stage.policy.clone();
    let roles = Roles::of(&roles_policy);
    stage.view.suspect(0, false, &roles, NOW);
    stage.view.suspect(1, true, &roles, NOW);
    let one_left = stage.plan();
    assert_eq!((one_left.first(), one_left.order.len(), one_left.is_last_resort), (Some(2), 3, true));
    assert_eq!((one_left.hedge_after, one_left.max_retries), (Some(16 * DELAY), Some(HANGING_PATIENCE)));
    stage.view.suspect(2, true, &roles, NOW);
    let none_left = stage.plan();
    assert_eq!((none_left.hedge_after, none_left.is_desperate), (Some(LONGEST_DELAY), true));
    let poor = stage.on_terms(|terms| terms.reserved = 0).plan(None);
    assert_eq!(
        (poor.hedge_after, poor.max_retries),
        (None, Some(PATIENCE)),
        "without a budget it only waits"
    );
}

#[test]
fn when_all_are_suspect_any_will_do() {
    let mut stage = stage(2, &[("strategy", "active-standby"), ("hedge-after", "25ms")]);
    stage.suspect(0);
    stage.suspect(1);
    let _busy = enter(&stage.lanes[0]);
    let plan = stage.plan();
    assert!(plan.is_desperate);
    assert_eq!(plan.order[..4], [1, 0, 1, 0], "the least busy first, then in turn");
    assert_eq!(
        (plan.hedge_after, plan.repeat),
        (None, Repeat::Never),
        "one of them may have broken by the request"
    );
    assert_eq!(plan.max_retries, Some(PATIENCE), "and it waits");
}

#[test]
fn the_only_well_one_is_asked_again_rather_than_one_that_broke() {
    let mut stage = stage(2, &[("strategy", "active-standby")]);
    stage.suspect(0);
    for may_repeat in [true, false] {
        assert_eq!(stage.situation(may_repeat, 0).plan(None).order, [1, 1, 1]);
    }
}

#[test]
fn of_suspects_the_silent_come_before_those_that_failed() {
    let mut stage = stage(2, &[("strategy", "active-standby")]);
    for (place, hangs) in [(0, false), (1, true)] {
        assert!(stage.view.suspect(place, hangs, &Roles::of(&stage.policy), NOW));
    }
    let _busy = enter(&stage.lanes[1]);
    assert_eq!(stage.plan().order[..2], [1, 0]);
}

#[test]
fn suspects_of_an_earlier_fault_come_last() {
    for (behind, order) in [(100, [0, 1]), (101, [1, 0])] {
        let mut stage = stage(2, &[("strategy", "active-standby")]);
        let roles_policy = stage.policy.clone();
        let roles = Roles::of(&roles_policy);
        assert!(stage.view.suspect(0, true, &roles, NOW));
        assert!(stage.view.suspect(1, true, &roles, Millis(NOW.0 + behind)));
        let _busy = enter(&stage.lanes[1]);
        assert_eq!(stage.plan().order[..2], order, "{behind} ms later");
    }
}

#[test]
fn a_trial_may_be_answered_by_a_503_for_one_that_is_dead_where_others_were_only_silent() {
    for (hang, repeat) in [
        ([false, true], Repeat::AsPolicySays),
        ([true, true], Repeat::AsPolicySays),
        ([false, false], Repeat::Never),
    ] {
        let mut stage = stage(2, &[("strategy", "active-standby")]);
        for (place, hangs) in hang.into_iter().enumerate() {
            assert!(stage.view.suspect(place, hangs, &Roles::of(&stage.policy), NOW));
        }
        let plan = stage.situation(true, 0).plan(Some(0));
        assert_eq!((plan.order[..2].to_vec(), plan.repeat), (vec![0, 1], repeat), "{hang:?}");
        assert_eq!(plan.max_retries, Some(PATIENCE));
    }
}

#[test]
fn a_503_of_the_last_well_one_goes_to_one_that_was_only_silent_until_its_first_trial() {
    let mut stage = stage(2, &[("strategy", "active-standby"), ("idempotent", "true")]);
    assert!(stage.view.suspect(1, true, &Roles::of(&stage.policy), NOW));
    assert_eq!((stage.plan().order, stage.plan().repeat), (vec![0, 1], Repeat::AsPolicySays));
    let without_budget = stage.on_terms(|terms| terms.reserved = 0).plan(None);
    assert_eq!((without_budget.order[0], without_budget.repeat), (0, Repeat::Never));
    assert!(stage.view.claim(1, NOW.after(FIRST_TRIAL_AFTER)));
    assert_eq!(stage.plan().repeat, Repeat::WhenBroken, "it hangs, and the well one may only be busy");
}

#[test]
fn a_503_of_the_only_replica_is_not_asked_for_again_however_lately_it_was_silent() {
    let mut alone = stage(1, &[("strategy", "active-standby"), ("idempotent", "true")]);
    assert!(alone.view.suspect(0, true, &Roles::of(&alone.policy), NOW));
    assert_eq!((alone.plan().repeat, alone.plan().max_retries), (Repeat::WhenBroken, Some(RESTART_PATIENCE)));
}

#[test]
fn a_trial_where_nobody_is_well_waits_for_any_replica() {
    let mut stage = stage(2, &[("strategy", "active-standby")]);
    stage.suspect(0);
    stage.suspect(1);
    let plan = stage.situation(true, 0).plan(Some(1));
    assert_eq!((plan.order[..3].to_vec(), plan.is_check, plan.is_desperate), (vec![1, 0, 1], true, true));
    assert_eq!(plan.max_retries, Some(PATIENCE));
}

#[test]
fn a_copy_on_trial_that_broke_may_take_the_last_well_one_along() {
    let mut stage = stage(2, &[("strategy", "request-replication")]);
    stage.suspect(0);
    let plan = stage.situation(true, 0).plan(Some(0));
    assert_eq!((plan.order[0], plan.max_retries), (0, Some(RESTART_PATIENCE)));
}
