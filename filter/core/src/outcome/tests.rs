//! What each way to end teaches.

use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::lane::{Expected, InFlight, SILENT_REQUESTS};
use crate::memory::{Memory, Terms};
use crate::policy::{Policy, WrittenPolicy};
use crate::strategy::NEXT_START_AFTER;

const NOW: Micros = Micros(1_000_000_000);

fn plan(order: &[usize]) -> Plan {
    Plan { order: order.to_vec(), ..Plan::default() }
}

fn hedged(order: &[usize]) -> Plan {
    Plan { hedge_after: Some(Duration::from_millis(25)), ..plan(order) }
}

fn answered(attempts: u32, replica: usize) -> Outcome {
    Outcome { attempts, replica: Some(replica), latency: Duration::from_millis(13), end: End::Answered }
}

fn taught(plan: &Plan, outcome: Outcome) -> Lessons {
    learn(Strategy::ActiveStandby, plan, &outcome, &|_| None, false, NOW)
}

#[test]
fn the_first_answer_teaches_nothing() {
    assert_eq!(taught(&plan(&[0, 1, 1]), answered(1, 0)), Lessons::default());
}

#[test]
fn those_that_were_tried_before_the_one_that_answered_are_set_aside() {
    let lessons = taught(&plan(&[0, 1, 1]), answered(2, 1));
    assert_eq!(lessons, Lessons { suspects: vec![0], failover: true, ..Lessons::default() });
    let lessons = taught(&plan(&[0, 1, 1]), answered(3, 1));
    assert_eq!(lessons.suspects, [0], "the one that answered in the end is not");
}

#[test]
fn one_that_failed_before_any_hedge_was_due_is_set_aside_at_once() {
    assert_eq!(taught(&hedged(&[0, 1]), answered(2, 1)).suspects, [0]);
    assert_eq!(taught(&hedged(&[0, 1]), answered(2, 0)), Lessons::default());
}

#[test]
fn a_hedge_that_started_though_the_first_answered_in_time_was_early() {
    let ms = Duration::from_millis;
    assert_eq!(hedged_early(&hedged(&[0, 1]), &answered(2, 0)), Some((ms(25), ms(13))));
    assert_eq!(hedged_early(&hedged(&[0, 1]), &answered(1, 0)), None, "there was none");
    assert_eq!(hedged_early(&hedged(&[0, 1]), &answered(2, 1)), None, "the first may have failed");
    assert_eq!(hedged_early(&hedged(&[0, 0]), &answered(2, 0)), None, "here, too");
    let late = Outcome { latency: ms(26), ..answered(2, 0) };
    assert_eq!(hedged_early(&hedged(&[0, 1]), &late), None);
}

#[test]
fn one_that_is_late_is_set_aside_only_when_it_is_late_again_and_again() {
    let lanes = [Lane::default(), Lane::default()];
    let late = |replica| Outcome { latency: Duration::from_millis(38), ..answered(2, replica) };
    let suspects = |outcome: Outcome, at| {
        let (lane_at, now) = (|place: usize| lanes.get(place), NOW.after(Duration::from_millis(at)));
        learn(Strategy::ActiveStandby, &hedged(&[0, 1, 1]), &outcome, &lane_at, false, now).suspects
    };
    assert!((1..LATE_IN_A_ROW).all(|_| suspects(late(1), 0).is_empty()));
    assert!(suspects(answered(1, 0), 100).is_empty(), "an answer in time undoes all that");
    assert!((0..LATE_IN_A_ROW).all(|_| suspects(late(1), 200).is_empty()), "all at once may be chance");
    assert!(suspects(late(1), 299).is_empty());
    assert_eq!(suspects(late(1), 300), [0], "after four delays");
}

#[test]
fn of_a_function_that_is_often_late_more_late_answers_are_needed() {
    let lanes = [Lane::default(), Lane::default()];
    let lane_at = |place: usize| lanes.get(place);
    let often_late = Plan { is_often_late: true, ..hedged(&[0, 1, 1]) };
    let late = Outcome { latency: Duration::from_millis(38), ..answered(2, 1) };
    let suspects = |at| {
        let now = NOW.after(Duration::from_millis(at));
        learn(Strategy::ActiveStandby, &often_late, &late, &lane_at, false, now).suspects
    };
    assert!((1..LATE_IN_A_ROW_OF_OFTEN_LATE).all(|n| suspects(u64::from(n) * 100).is_empty()));
    assert_eq!(suspects(u64::from(LATE_IN_A_ROW_OF_OFTEN_LATE) * 100), [0]);
}

#[test]
fn one_that_has_answered_nothing_of_a_burst_is_set_aside_by_the_first_hedge_that_won() {
    let ms = Duration::from_millis;
    let suspects = |burst: u32, answered_one: bool| {
        let lanes = [Rc::new(Lane::default()), Rc::new(Lane::default())];
        let expected = Expected { after: ms(15), is_often_late: false };
        let waiting: Vec<InFlight> =
            (0..burst).map(|_| InFlight::enter(&lanes[0], Some(expected), NOW)).collect();
        if answered_one {
            lanes[0].heard();
        }
        let late = Outcome { latency: ms(38), ..answered(2, 1) };
        let (lane_at, now) = (|place: usize| lanes.get(place).map(Rc::as_ref), NOW.after(ms(38)));
        let lessons = learn(Strategy::ActiveStandby, &hedged(&[0, 1, 1]), &late, &lane_at, false, now);
        drop(waiting);
        lessons.suspects
    };
    assert_eq!(suspects(SILENT_REQUESTS, false), [0]);
    assert!(suspects(SILENT_REQUESTS - 1, false).is_empty(), "both may be slow");
    assert!(suspects(10, true).is_empty(), "it spoke");
}

#[test]
fn one_that_is_late_together_with_the_others_is_not_to_blame() {
    let lanes = [Lane::default(), Lane::default()];
    let stalled = Outcome { latency: Duration::from_secs(2), ..answered(3, 1) };
    for _ in 0..2 * LATE_IN_A_ROW {
        let lane_at = |place: usize| lanes.get(place);
        let lessons = learn(Strategy::ActiveStandby, &hedged(&[0, 1, 1]), &stalled, &lane_at, false, NOW);
        assert_eq!(lessons, Lessons { failover: true, ..Lessons::default() });
    }
}

#[test]
fn what_failed_before_somebody_was_back_sets_nobody_aside() {
    let desperate = Plan { is_desperate: true, ..plan(&[0, 1]) };
    assert!(taught(&desperate, answered(2, 1)).suspects.is_empty());
}

#[test]
fn a_request_that_broke_everywhere_sets_all_that_were_tried_aside() {
    let outcome = Outcome { end: End::Broken, ..answered(3, 1) };
    assert_eq!(taught(&plan(&[0, 1, 1]), outcome).suspects, [0, 1]);
    let once = Outcome { attempts: 1, ..outcome };
    assert_eq!(taught(&plan(&[0, 1, 1]), once).suspects, [0]);
}

#[test]
fn answers_that_the_function_may_have_given_and_clients_that_left_blame_nobody() {
    for end in [End::Refused, End::Busy, End::Other] {
        let outcome = Outcome { end, ..answered(3, 1) };
        assert_eq!(taught(&plan(&[0, 1, 1]), outcome), Lessons::default(), "{end:?}");
    }
}

#[test]
fn a_check_decides_about_its_replica() {
    let check = Plan { is_check: true, ..hedged(&[0, 1]) };
    assert_eq!(taught(&check, answered(1, 0)).acquitted, Some(0));
    assert_eq!(taught(&check, answered(2, 0)).acquitted, Some(0), "late, but it answered");
    let lost = taught(&check, answered(2, 1));
    assert_eq!((lost.acquitted, lost.suspects, lost.late), (None, vec![0], None));
}

#[test]
fn a_first_look_that_is_late_asks_for_a_second_one_and_a_failure_needs_none() {
    let look = Plan { is_check: true, is_first_look: true, ..hedged(&[0, 1]) };
    let late = taught(&look, Outcome { latency: Duration::from_millis(30), ..answered(2, 1) });
    assert_eq!((late.suspects.as_slice(), late.late, late.acquitted), (&[][..], Some(0), None));
    let failed = taught(&look, answered(2, 1));
    assert_eq!((failed.suspects, failed.late), (vec![0], None));
    let won = taught(&look, Outcome { latency: Duration::from_millis(30), ..answered(2, 0) });
    assert_eq!((won.late, won.acquitted), (None, Some(0)), "late, but it answered");
    let outcome = Outcome { latency: Duration::from_millis(30), ..answered(2, 1) };
    let last = learn(Strategy::ActiveStandby, &look, &outcome, &|_| None, true, NOW);
    assert_eq!((last.late, last.acquitted), (Some(0), Some(1)), "all were set aside meanwhile");
}

#[test]
fn when_nobody_was_known_to_be_well_the_one_that_answers_is() {
    let desperate = Plan { is_desperate: true, ..plan(&[0, 1]) };
    assert_eq!(taught(&desperate, answered(7, 1)).acquitted, Some(1));
    assert_eq!(taught(&desperate, Outcome { replica: None, ..answered(1, 1) }), Lessons::default());
}

#[test]
fn the_one_that_answers_a_request_from_before_all_were_set_aside_is_well() {
    for (outcome, acquitted) in [
        (answered(1, 1), Some(1)),
        (Outcome { end: End::Busy, ..answered(1, 1) }, None),
        (Outcome { end: End::Broken, ..answered(1, 1) }, None),
    ] {
        let lessons = learn(Strategy::ActiveStandby, &plan(&[1, 0]), &outcome, &|_| None, true, NOW);
        assert_eq!(lessons.acquitted, acquitted);
    }
}

#[test]
fn losing_a_race_by_itself_sets_nobody_aside() {
    let lanes = [Lane::default(), Lane::default()];
    let race = Plan { hedge_after: Some(Duration::from_millis(1)), ..plan(&[0, 1]) };
    let lane_at = |place: usize| lanes.get(place);
    let lessons = learn(Strategy::RequestReplication, &race, &answered(2, 1), &lane_at, false, NOW);
    assert_eq!(lessons, Lessons { failover: true, ..Lessons::default() });
    assert_eq!((lanes[0].losses(), lanes[1].losses()), (1, 0));
}

#[test]
fn nor_does_losing_it_within_a_millisecond() {
    let settings = [("strategy".to_owned(), "request-replication".to_owned())].into();
    let policy = Policy::compile(&WrittenPolicy::new("fib", settings)).unwrap();
    let Terms { early, .. } = Memory::new(&policy).request(0, &policy, true, NOW.millis());
    let race = Plan { hedge_after: Some(NEXT_START_AFTER), early, ..plan(&[0, 1]) };
    let (lanes, soon) = ([Lane::default(), Lane::default()], Duration::from_micros(400));
    let outcome = Outcome { latency: soon, ..answered(2, 1) };
    let lane_at = |place: usize| lanes.get(place);
    let lessons = learn(Strategy::RequestReplication, &race, &outcome, &lane_at, false, NOW);
    assert_eq!(lessons, Lessons { failover: true, ..Lessons::default() });
}

#[test]
fn flags_and_status_tell_how_it_ended() {
    for (flags, status, end) in [
        (0, Some(200), End::Answered),
        (0x8000, Some(200), End::Answered),
        (0, Some(500), End::Answered),
        (0, Some(502), End::Refused),
        (0, Some(503), End::Busy),
        (0, Some(429), End::Busy),
        (0x20, Some(503), End::Broken),
        (0x8020, Some(503), End::Broken),
        (0x40, Some(200), End::Broken),
        (0x80_0000, Some(200), End::Broken),
        (0x10, Some(503), End::Broken),
        (0x4000, Some(200), End::Other),
        (0x4040, None, End::Other),
        (0, None, End::Other),
    ] {
        assert_eq!(End::of(flags, status), end, "{flags:#x} {status:?}");
    }
}
