//! What a worker remembers, request by request.

use super::*;
use crate::pace::ENOUGH;
use crate::policy::WrittenPolicy;

const NOW: Millis = Millis(1_000_000);
const FAST: u32 = 1;
const SLOW: u32 = 2;

fn policy(settings: &[(&str, &str)]) -> Policy {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Policy::compile(&WrittenPolicy::new("fib", settings)).unwrap()
}

fn active_standby() -> Policy {
    policy(&[("strategy", "active-standby")])
}

fn answered(attempts: u32, replica: usize, latency: u64) -> Outcome {
    let latency = Duration::from_millis(latency);
    Outcome { attempts, replica: Some(replica), latency, end: End::Answered }
}

fn request(memory: &mut Memory, kind: u32) -> Terms {
    memory.request(kind, &active_standby(), false, NOW)
}

fn hedged() -> Plan {
    Plan { order: vec![0, 1], hedge_after: Some(Duration::from_millis(15)), ..Plan::default() }
}

/// A memory that has seen `ENOUGH` requests of a fast and of a slow kind.
fn warm() -> Memory {
    let mut memory = Memory::new(&active_standby());
    memory.settle(Duration::ZERO);
    for _ in 0..ENOUGH {
        for (kind, latency) in [(FAST, 10), (SLOW, 80)] {
            request(&mut memory, kind);
            memory.learn(kind, &hedged(), &answered(1, 0, latency), false, NOW);
        }
    }
    memory
}

#[test]
fn each_kind_of_request_has_its_own_delay() {
    let (memory, policy) = (warm(), active_standby());
    assert!(memory.delay(FAST, &policy) < Duration::from_millis(13));
    assert!(memory.delay(SLOW, &policy) > Duration::from_millis(85));
    assert_eq!(
        memory.delay(FAST, &self::policy(&[("strategy", "retry"), ("hedge-after", "7ms")])).as_millis(),
        7
    );
}

#[test]
fn kinds_beyond_the_last_share_its_pace_until_another_is_forgotten() {
    let mut memory = Memory::new(&active_standby());
    for kind in 0..20 {
        request(&mut memory, kind);
    }
    assert_eq!(memory.kinds.len(), KINDS);
    for _ in 0..=FORGOTTEN_AFTER {
        request(&mut memory, 7);
    }
    request(&mut memory, 19);
    assert!(memory.place(19).is_some() && memory.place(7).is_some());
}

#[test]
fn what_a_request_did_not_need_goes_back_into_the_budget() {
    let mut memory = Memory::new(&active_standby());
    let terms = memory.request(FAST, &active_standby(), true, NOW);
    let (plan, before) = (Plan { reserved: terms.reserved, ..hedged() }, memory.budget().tokens());
    assert_eq!(terms.reserved, 2);
    memory.learn(FAST, &plan, &answered(2, 1, 30), false, NOW);
    assert_eq!(memory.budget().tokens(), before + 1);
}

#[test]
fn a_request_without_budget_is_no_one_to_try_a_suspect_with() {
    let mut memory = Memory::new(&active_standby());
    let mut asked = |may_repeat| memory.request(FAST, &active_standby(), may_repeat, NOW);
    let (rich, forbidden) = (asked(true), asked(false));
    let poor = (0..100).map(|_| asked(true)).find(|terms| terms.reserved == 0).unwrap();
    let hedged = |terms: Terms, may_repeat| terms.allow_repetition(Strategy::ActiveStandby, may_repeat);
    assert!(hedged(rich, true) && !hedged(forbidden, false) && !hedged(poor, true));
    let copied = |may_repeat| poor.allow_repetition(Strategy::RequestReplication, may_repeat);
    assert!(copied(true) && !copied(false), "copies need no budget");
}

#[test]
fn an_answer_that_came_second_is_learned_from_as_what_it_was() {
    let mut memory = warm();
    let before = memory.delay(FAST, &active_standby());
    for _ in 0..ENOUGH {
        memory.learn(FAST, &hedged(), &answered(2, 1, 25), false, NOW);
    }
    let pace = memory.pace(FAST).unwrap();
    assert_eq!(pace.usual(10).unwrap().as_millis(), 10, "the winner took what is left after the delay");
    assert_eq!(pace.usual(90).unwrap().as_millis(), 25, "the first would have taken longer still");
    assert!(memory.delay(FAST, &active_standby()) > before);
}

#[test]
fn a_replica_that_is_late_again_and_again_does_not_make_its_function_slow() {
    let mut memory = Memory::new(&active_standby());
    request(&mut memory, FAST);
    for _ in 0..ENOUGH {
        memory.learn(FAST, &hedged(), &answered(1, 0, 10), false, NOW);
    }
    let before = memory.delay(FAST, &active_standby());
    for is_losing in [false, true, true] {
        memory.learn(FAST, &hedged(), &answered(2, 1, 25), is_losing, NOW);
    }
    assert_eq!(memory.delay(FAST, &active_standby()), before);
    assert!(!request(&mut memory, FAST).is_often_late);
}

#[test]
fn a_first_attempt_that_failed_at_its_end_is_no_late_one() {
    let mut memory = warm();
    memory.settle(Duration::ZERO);
    let learn = |memory: &mut Memory, latency| {
        (0..ENOUGH).for_each(|_| memory.learn(FAST, &hedged(), &answered(2, 1, latency), false, NOW));
        request(memory, FAST).is_often_late
    };
    assert!(!learn(&mut memory, 20), "ten milliseconds, then another replica's ten");
    assert!(learn(&mut memory, 25), "fifteen until the hedge, then another replica's ten");
}

#[test]
fn failures_and_trials_say_nothing_of_the_functions_speed() {
    let mut memory = warm();
    let before = memory.delay(FAST, &active_standby());
    for _ in 0..50 {
        memory.learn(FAST, &hedged(), &answered(2, 1, 12), false, NOW);
        memory.learn(FAST, &Plan { is_check: true, ..hedged() }, &answered(2, 1, 300), false, NOW);
        memory.learn(FAST, &hedged(), &Outcome { end: End::Broken, ..answered(3, 1, 900) }, false, NOW);
    }
    assert_eq!(memory.delay(FAST, &active_standby()), before);
}

#[test]
fn a_function_that_says_that_it_has_too_much_to_do_is_spared_for_a_while() {
    let mut memory = warm();
    memory.learn(FAST, &hedged(), &Outcome { end: End::Busy, ..answered(1, 0, 1) }, false, NOW);
    assert!(memory.request(FAST, &active_standby(), true, NOW).is_spared);
    assert!(!memory.request(FAST, &active_standby(), true, NOW.after(SPARED_FOR)).is_spared);
}

#[test]
fn the_burst_holds_three_times_what_comes_within_a_delay() {
    let mut memory = warm();
    memory.settle(Duration::ZERO);
    let come = |memory: &mut Memory, count, at| {
        for _ in 0..count {
            memory.request(FAST, &active_standby(), false, NOW.after(at));
        }
        memory.settle(Duration::ZERO);
        memory.budget().burst()
    };
    let second = Duration::from_secs(1);
    assert_eq!(come(&mut memory, 5, second), crate::budget::LEAST_BURST);
    assert_eq!(come(&mut memory, 100, 2 * second), 300, "all at once");
    assert_eq!(come(&mut memory, 100, 3 * second), 300, "as before");
}

#[test]
fn others_are_told_only_what_is_known_well() {
    let memory = warm();
    let mut other = Memory::new(&active_standby());
    other.settle(Duration::ZERO);
    request(&mut other, FAST);
    assert_eq!((other.tell(), other.is_curious(), memory.is_curious()), (None, true, false));
    other.hear(&memory.tell().unwrap());
    assert!(other.delay(FAST, &active_standby()) < Duration::from_millis(13));
    assert!(other.delay(SLOW, &active_standby()) > Duration::from_millis(85));
    assert_eq!(other.tell(), None, "hearsay isn't passed on");
}

#[test]
fn nonsense_is_not_heard() {
    let mut memory = Memory::new(&active_standby());
    memory.hear("\nx y\n7\n7 fast\n99999999999 1\n");
    assert_eq!(memory.kinds.len(), 0);
    (0..20).for_each(|kind| memory.hear(&format!("{kind} 1000")));
    assert_eq!(memory.kinds.len(), KINDS);
}
