//! Who is there, who is well, who is active: as conversations with a view.

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::Strategy as _;

use super::*;
use crate::outcome::Lessons;
use crate::policy::{NOWHERE, Placement, Strategy};

const START: Millis = Millis(1_000_000);

fn roles(strategy: Strategy, tolerate: usize) -> Roles<'static> {
    Roles { function: "fib", strategy, tolerate, placement: &NOWHERE }
}

fn pair() -> Roles<'static> {
    roles(Strategy::ActiveStandby, 1)
}

fn host(number: usize) -> Host {
    Host::well(format!("10.0.0.{number}:8080"))
}

fn hosts(count: usize) -> Vec<Host> {
    (1..=count).map(host).collect()
}

fn view(count: usize, roles: &Roles<'_>) -> View {
    let mut view = View::default();
    assert!(view.observe(&hosts(count), roles, START));
    view
}

fn active(view: &View) -> Vec<usize> {
    (0..view.replicas.len()).filter(|place| view.replicas[*place].active).collect()
}

fn later(seconds: u64) -> Millis {
    START.after(Duration::from_secs(seconds))
}

#[test]
fn n_less_k_replicas_are_active_but_never_none() {
    for (replicas, tolerate, expected) in [(1, 1, 1), (2, 1, 1), (3, 1, 2), (5, 2, 3), (2, 4, 1), (50, 4, 46)]
    {
        let view = view(replicas, &roles(Strategy::ActiveStandby, tolerate));
        assert_eq!(active(&view).len(), expected, "{replicas} replicas, tolerate {tolerate}");
    }
    assert_eq!(active(&view(5, &roles(Strategy::RequestReplication, 2))).len(), 3);
    assert_eq!(active(&view(5, &roles(Strategy::Retry, 1))).len(), 5);
}

#[test]
fn all_are_lost_once_the_last_one_is_set_aside() {
    let (roles, before) = (pair(), view(2, &pair()));
    let mut now = before.clone();
    now.suspect(0, false, &roles, START);
    assert!(!now.has_lost_all_since(&before) && !before.has_lost_all_since(&before));
    let half = now.clone();
    now.suspect(1, true, &roles, START);
    assert!(now.has_lost_all_since(&before) && now.has_lost_all_since(&half));
    assert!(!now.has_lost_all_since(&now.clone()), "the request knew");
}

#[test]
fn copies_are_on_different_nodes_and_a_newcomer_waits_to_make_them_so() {
    let node = [1, 2, 3].map(|n| format!("10.0.0.{n}")).to_vec();
    let placement = Placement { nodes: vec![node], ..Placement::default() };
    let roles = Roles { placement: &placement, ..roles(Strategy::RequestReplication, 1) };
    assert!(active(&view(4, &roles)).contains(&3), "whatever the ranks");
    let mut grown = view(3, &roles);
    let before = active(&grown);
    grown.observe(&hosts(4), &roles, later(1));
    assert_eq!(active(&grown), before);
    grown.observe(&hosts(4), &roles, later(40));
    assert!(active(&grown).contains(&3));
}

#[test]
fn processes_of_one_machine_share_a_node() {
    let host = |address: &str| Host { address: address.to_owned(), ..host(1) };
    let mut view = View::default();
    view.observe(&["10.0.0.1:1", "10.0.0.1:2", "[::1]:1"].map(host), &pair(), START);
    let [one, two, other] = [0, 1, 2].map(|place: usize| view.replicas[place].site);
    assert!(one.shares_node(two) && !one.shares_node(other) && !one.shares_zone(two));
}

#[test]
fn the_same_replicas_give_the_same_roles_whatever_their_order() {
    let forward = view(5, &pair());
    let mut backward = View::default();
    backward.observe(&hosts(5).into_iter().rev().collect::<Vec<_>>(), &pair(), later(7));
    assert_eq!(active(&forward), active(&backward));
}

#[test]
fn functions_spread_their_active_replicas() {
    let firsts: std::collections::BTreeSet<usize> = (0..40)
        .map(|n| {
            let (name, mut view) = (format!("fib-{n}"), View::default());
            view.observe(&hosts(4), &Roles { function: &name, ..roles(Strategy::ActiveStandby, 3) }, START);
            active(&view)[0]
        })
        .collect();
    assert_eq!(firsts.len(), 4);
}

#[test]
fn seeing_the_same_again_changes_nothing() {
    let mut view = view(3, &pair());
    assert!(!view.observe(&hosts(3), &pair(), later(1)));
}

#[test]
fn a_suspect_loses_its_role_and_gets_it_back_only_after_the_failback_time() {
    let mut view = view(2, &pair());
    let first = active(&view)[0];
    assert!(view.suspect(first, false, &pair(), START));
    assert_eq!(active(&view), [1 - first]);
    assert!(view.acquit(first, &pair(), later(1)));
    assert_eq!(active(&view), [1 - first], "no flapping back");
    view.observe(&hosts(2), &pair(), later(30));
    assert_eq!(active(&view), [1 - first], "29 s after its return");
    assert!(view.observe(&hosts(2), &pair(), later(31)));
    assert_eq!(active(&view), [first], "30 s after its return");
}

#[test]
fn a_replacement_stands_by_and_takes_over_when_the_promoted_one_dies() {
    let mut view = view(2, &pair());
    let (old, promoted) = (active(&view)[0], 1 - active(&view)[0]);
    let promoted_address = view.replicas[promoted].address.clone();
    let survivors = [host(promoted + 1), host(3)];
    view.suspect(old, false, &pair(), START);
    view.observe(&survivors, &pair(), later(2));
    let promoted = view.find(&promoted_address).unwrap();
    assert_eq!(active(&view), [promoted]);
    view.suspect(promoted, false, &pair(), later(3));
    assert_eq!(active(&view), [view.find("10.0.0.3:8080").unwrap()]);
}

#[test]
fn a_sign_against_one_that_is_set_aside_is_no_news() {
    let mut view = view(2, &pair());
    assert!(view.suspect(0, false, &pair(), START));
    assert!(!view.suspect(0, false, &pair(), later(1)));
    assert!(!view.suspect(99, false, &pair(), START));
    assert!(!view.acquit(1, &pair(), START));
}

#[test]
fn a_standby_that_was_late_is_looked_at_again_soon_and_an_answer_clears_it() {
    let mut view = view(2, &pair());
    let standby = 1 - active(&view)[0];
    let lessons =
        |lessons: Lessons, view: &mut View| view.take_in(&view.clone(), &lessons, &pair(), later(3));
    let late = Lessons { late: Some(standby), ..Lessons::default() };
    assert!(lessons(late.clone(), &mut view).changed);
    assert!(view.replicas[standby].is_well() && view.replicas[standby].was_late);
    assert_eq!(view.due(&pair(), true, later(3)), None, "a pause of the machine may last");
    assert_eq!(view.due(&pair(), true, later(4)), Some(standby));
    assert_eq!(View::decode(&view.encode()), view);
    assert!(lessons(Lessons { acquitted: Some(standby), ..Lessons::default() }, &mut view).changed);
    assert!(!view.replicas[standby].was_late);
    lessons(late.clone(), &mut view);
    assert_eq!(lessons(Lessons::of_silence(standby), &mut view).set_aside, 1);
    assert!(!lessons(late, &mut view).changed, "it is aside anyway");
}

#[test]
fn a_standby_that_becomes_active_is_not_held_to_what_it_was_late_with() {
    let mut view = view(2, &pair());
    let active = active(&view)[0];
    let late = Lessons { late: Some(1 - active), ..Lessons::default() };
    view.take_in(&view.clone(), &late, &pair(), later(3));
    assert!(view.replicas[1 - active].was_late);
    view.suspect(active, false, &pair(), later(3));
    assert!(view.replicas[1 - active].active && !view.replicas[1 - active].was_late);
}

#[test]
fn trials_come_ever_more_rarely_and_one_request_claims_each() {
    let mut view = view(2, &pair());
    view.suspect(0, false, &pair(), START);
    let (mut now, mut waits) = (START, Vec::new());
    for _ in 0..8 {
        let due = view.replicas[0].next_check;
        waits.push(due.since(now).as_millis());
        now = due;
        assert_eq!(view.due(&pair(), true, now), Some(0));
        assert!(view.claim(0, now));
        assert!(!view.claim(0, now), "claimed already");
        assert_eq!(view.due(&pair(), true, now), None);
    }
    assert_eq!(waits, [500, 1_500, 4_500, 8_000, 8_000, 8_000, 8_000, 8_000]);
}

#[test]
fn a_request_that_must_not_run_twice_leads_a_trial_only_where_no_other_came() {
    let mut view = view(2, &pair());
    view.suspect(0, false, &pair(), START);
    assert_eq!(view.due(&pair(), false, later(5)), None);
    assert_eq!(view.due(&pair(), false, later(11)), Some(0));
}

#[test]
fn a_standby_is_heard_of_every_few_seconds() {
    let mut view = view(2, &pair());
    let standby = 1 - active(&view)[0];
    assert_eq!(view.due(&pair(), true, later(2)), None);
    assert_eq!(view.next_due(&pair()), Some(later(3)));
    assert_eq!(view.due(&pair(), true, later(3)), Some(standby));
    assert_eq!(view.due(&pair(), false, later(60)), None, "not by a request that must not run twice");
    assert!(view.claim(standby, later(3)));
    assert_eq!(view.due(&pair(), true, later(5)), None);
    assert_eq!(view.due(&pair(), true, later(6)), Some(standby));
}

#[test]
fn copies_take_turns_to_start_first_for_the_second_is_never_heard_of() {
    let roles = roles(Strategy::RequestReplication, 1);
    let mut view = view(2, &roles);
    let mut led = Vec::new();
    while let Some(place) = view.due(&roles, true, later(5)) {
        assert!(view.claim(place, later(5)));
        led.push(place);
    }
    assert_eq!(led, [0, 1]);
}

#[test]
fn with_retry_nobody_waits_to_be_heard_of() {
    assert_eq!(view(3, &roles(Strategy::Retry, 1)).next_due(&roles(Strategy::Retry, 1)), None);
}

#[test]
fn who_is_out_for_envoy_is_out_and_led_no_trial() {
    let mut view = view(2, &pair());
    let first = active(&view)[0];
    let mut seen = hosts(2);
    seen[first].serving = false;
    assert!(view.observe(&seen, &pair(), later(1)));
    assert_eq!((active(&view), view.well(), view.is_uneasy()), (vec![1 - first], 1, true));
    assert_eq!(view.due(&pair(), true, later(100)), None);
    view.observe(&hosts(2), &pair(), later(2));
    assert_eq!(active(&view), [1 - first], "back, and standing by");
}

#[test]
fn masks_follow_the_order_of_addresses_and_end_at_64() {
    let view = view(70, &roles(Strategy::Retry, 1));
    assert_eq!(view.mask(|replica| replica.active), u64::MAX);
    assert_eq!(view.mask(|replica| replica.address == view.replicas[3].address), 8);
}

#[test]
fn a_host_named_twice_counts_once() {
    let mut view = View::default();
    view.observe(&[host(1), host(1)], &pair(), START);
    assert_eq!(view.replicas.len(), 1);
}

/// Something that can happen to a view.
#[derive(Debug, Clone)]
enum Event {
    Observe(Vec<(usize, bool)>),
    Suspect(usize),
    Acquit(usize),
    Claim(usize),
}

fn event() -> impl proptest::strategy::Strategy<Value = Event> {
    prop_oneof![
        proptest::collection::vec((1..8_usize, any::<bool>()), 0..8).prop_map(Event::Observe),
        (0..8_usize).prop_map(Event::Suspect),
        (0..8_usize).prop_map(Event::Acquit),
        (0..8_usize).prop_map(Event::Claim),
    ]
}

fn happen(view: &mut View, event: &Event, roles: &Roles<'_>, now: Millis) {
    match event {
        Event::Observe(seen) => {
            let seen: Vec<Host> =
                seen.iter().map(|(number, serving)| Host { serving: *serving, ..host(*number) }).collect();
            view.observe(&seen, roles, now);
        }
        Event::Suspect(place) => drop(view.suspect(*place, false, roles, now)),
        Event::Acquit(place) => drop(view.acquit(*place, roles, now)),
        Event::Claim(place) => drop(view.claim(*place, now)),
    }
}

proptest! {
    #[test]
    fn whatever_happens_roles_hold(
        events in proptest::collection::vec((event(), 0..20_000_u64), 1..60),
        strategy in prop_oneof![Just(Strategy::Retry), Just(Strategy::ActiveStandby), Just(Strategy::RequestReplication)],
        tolerate in 1..5_usize,
    ) {
        let (roles, mut view, mut now) = (roles(strategy, tolerate), View::default(), START);
        for (event, wait) in events {
            now = now.after(Duration::from_millis(wait));
            happen(&mut view, &event, &roles, now);
            let active = view.replicas.iter().filter(|replica| replica.active);
            prop_assert!(active.clone().all(Replica::is_well), "only well ones are active");
            let expected = match strategy {
                Strategy::Retry | Strategy::Hedged => view.well(),
                Strategy::ActiveStandby => view.well().saturating_sub(tolerate).max(1).min(view.well()),
                Strategy::RequestReplication => (tolerate + 1).min(view.well()),
            };
            prop_assert_eq!(active.count(), expected);
            prop_assert!(view.replicas.is_sorted_by(|a, b| a.address < b.address));
            prop_assert_eq!(View::decode(&view.encode()), view.clone());
        }
    }

    #[test]
    fn a_suspect_that_serves_always_gets_another_trial(trials in 0..200_u32) {
        let mut view = view(2, &pair());
        view.suspect(0, false, &pair(), START);
        let mut now = START;
        for _ in 0..trials {
            now = now.after(LONGEST_TRIAL_WAIT);
            prop_assert_eq!(view.due(&pair(), true, now), Some(0));
            prop_assert!(view.claim(0, now));
        }
    }

    #[test]
    fn reading_any_bytes_as_a_view_is_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = View::decode(&bytes);
    }
}
