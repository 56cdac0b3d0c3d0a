//! Goals held against runs that are made up.

use std::time::Duration;

use super::*;
use crate::record::{Got, Outcome, Seen};

/// A run of 200 requests a second that take 12 ms each, but where `change` has it otherwise.
pub(crate) fn report(seconds: u32, fault_at: u32, change: impl Fn(usize, &mut Outcome)) -> Report {
    let one = |index: u32| {
        let due = Duration::from_millis(5) * index;
        let latency = Duration::from_millis(12);
        let mut outcome =
            Outcome { index: index as usize, due, latency, got: Got::Answer(200), aside: false };
        change(outcome.index, &mut outcome);
        outcome
    };
    let outcomes: Vec<Outcome> = (0..seconds * 200).map(one).collect();
    let moment = Duration::from_secs(fault_at.into());
    Report {
        proxy: "steadfaas".to_owned(),
        fault: "kill".to_owned(),
        rate: 200.0,
        seconds: seconds.into(),
        arrivals: "constant",
        seed: 1,
        replicas: 2,
        workers: 1,
        seen: Seen::of(&outcomes, moment),
        attempts: u64::from(seconds * 200),
        executions: u64::from(seconds * 200),
        late_runs: 0,
        in_flight: 3,
        extra_before: 0,
        well_after_ms: None,
        other_load: 0.0,
        cpu_us_per_request: 100.0,
        moment,
        outcomes,
    }
}

fn calm() -> Report {
    report(20, 8, |_, _| {})
}

fn named(group: Group, name: &str) -> Row {
    rows(group).into_iter().find(|row| row.name == name).unwrap()
}

fn misses(row: &str, report: &Report, plain: Option<f64>) -> Vec<String> {
    let group = if row.contains("_") && Scenario::named(row).is_none() { Group::Scale } else { Group::Table };
    let judged = named(group, row).judge(report, plain);
    judged.into_iter().filter(|judged| !judged.held).map(|judged| judged.words).collect()
}

#[test]
fn every_scenario_has_its_row_and_every_row_its_limits() {
    let table = rows(Group::Table);
    let names: Vec<&str> = table.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, Scenario::ALL.map(|scenario| scenario.name));
    assert_eq!(rows(Group::Scale).len(), 18);
    for row in table.iter().chain(&rows(Group::Scale)) {
        assert_eq!(row.goal().first().unwrap(), "0 failed", "{}", row.name);
    }
}

#[test]
fn a_run_without_any_harm_reaches_every_goal() {
    for row in rows(Group::Table) {
        let report = Report { well_after_ms: Some(0.0), ..calm() };
        assert_eq!(misses(&row.name, &report, Some(15.0)), [""; 0], "{}", row.name);
    }
}

#[test]
fn each_limit_is_missed_by_its_own_number() {
    let gap = report(20, 8, |index, one| {
        if (1_600..1_604).contains(&index) {
            one.latency = Duration::from_millis(35);
        }
    });
    assert_eq!(misses("kill", &gap, None), ["gap <= 14 ms"]);
    let failing = report(20, 8, |index, one| {
        if index == 100 {
            one.got = Got::Reset;
        }
    });
    assert_eq!(misses("flap", &failing, None), ["0 failed"]);
    let twice = Report { attempts: 4_004, ..calm() };
    assert_eq!(misses("kill", &twice, None), ["<= 3 extra attempts"]);
    assert_eq!(misses("freeze", &twice, None), [""; 0]);
    let many = Report { attempts: 4_100, extra_before: 100, ..calm() };
    assert_eq!(misses("shift", &many, None), ["<= 1.5 % extra attempts"], "100 of 2,400");
    assert_eq!(misses("paths", &many, None), ["<= 1 % extra before the fault"], "100 of 1,600");
    let late = Report { well_after_ms: Some(800.0), ..calm() };
    assert_eq!(misses("storm", &late, None), ["all well 700 ms after the stall"]);
}

#[test]
fn what_was_not_run_is_not_better_than_it() {
    assert_eq!(misses("lognormal", &calm(), Some(12.5)), ["p99 <= 0.94 x envoy-plain's"]);
    assert_eq!(misses("lognormal", &calm(), None), ["p99 <= 0.94 x envoy-plain's"]);
    assert!(named(Group::Table, "lognormal").is_compared());
}

#[test]
fn at_other_loads_limits_grow_with_arrivals_and_with_what_is_in_flight() {
    let mut report = Report { attempts: 4_033, extra_before: 8, in_flight: 30, ..calm() };
    report.seen.gap_ms = 500.0;
    report.seen.arrival_gap_ms = 490.0;
    assert_eq!(misses("kill_2rps", &report, None), [""; 0], "30 extra attempts, 504 ms, 0.5 % before");
    let many = Report { attempts: 4_040, extra_before: 9, ..calm() };
    let missed =
        ["<= 3 extra after the fault for each 3 in flight", "<= 0.5 % extra before the fault, or one"];
    assert_eq!(misses("kill_3replicas", &many, None), missed, "31 of 3, and 9 of 1,600");
    let mut few = Report { attempts: 41, extra_before: 1, ..calm() };
    (few.seen.requests, few.seen.requests_after) = (40, 24);
    assert_eq!(misses("kill_2rps", &few, None), [""; 0], "one of sixteen");
    let unread = Report { attempts: 4_002, extra_before: -8, ..calm() };
    assert_eq!(misses("kill_burst", &unread, None), [""; 0], "two, not ten");
    assert_eq!(misses("kill", &report, None), ["gap <= 14 ms", "<= 3 extra attempts"]);
}

#[test]
fn what_makes_latencies_doubtful_is_marked() {
    let calm_run = |name: &str, group| Run::of(&named(group, name), calm(), &[]);
    assert_eq!(machine(&[&calm_run("kill", Group::Table)]), "0.00, 0.0");
    assert_eq!(
        machine(&[&calm_run("kill_burst", Group::Scale)]),
        "0.00",
        "bursts queue, whatever the machine"
    );
    assert_eq!(machine(&[&calm_run("paths", Group::Table)]), "0.00", "one in five is a slow one");
    let row = named(Group::Table, "kill");
    let late = report(20, 8, |index, one| {
        if index % 50 == 0 {
            one.latency = Duration::from_micros(14_500);
        }
    });
    let late = Run::of(&row, Report { other_load: 0.3, ..late }, &[]);
    assert_eq!(machine(&[&calm_run("kill", Group::Table), &late]), "0.30 !, 2.5 !");
}

#[test]
fn misses_are_counted_over_all_runs_of_a_row() {
    let row = named(Group::Table, "kill");
    let good = Run::of(&row, calm(), &[]);
    let bad = Run::of(&row, Report { attempts: 4_010, other_load: 0.3, ..calm() }, &[]);
    assert!(good.held && !good.busy_machine && !bad.held && bad.busy_machine);
    assert_eq!(missed(&[&good, &bad, &bad]), ["<= 3 extra attempts: 10 (2 of 3)"]);
    assert_eq!(missed(&[&good]), [""; 0]);
}
