//! The fault matrix as data: each line says of some cells what happens to the function, and what is expected then.

use std::time::Duration;

use steadfaas_core::policy::Strategy::{self, ActiveStandby, Hedged, RequestReplication, Retry};
use steadfaas_core::strategy::RESTART_PATIENCE;

use super::expect::{Expect, Failures, Then};
use super::words::Call::{self, Get, KeyedPost, Post};
use super::words::Fault::{self, *};
use Then::{AllAreUsed, Anything, ClientsAreTold, IsSetAside, IsUsed, StandsBy};

/// A line of the table: all cells of these strategies, counts of replicas and kinds of requests.
#[derive(Debug)]
pub struct Row {
    /// What happens to the function's replicas.
    pub fault: Fault,
    /// The function's strategy.
    pub strategies: &'static [Strategy],
    /// How many replicas it has.
    pub replicas: &'static [usize],
    /// The kind of its requests.
    pub calls: &'static [Call],
    /// What is expected, or why there is nothing to test.
    pub expect: Result<Expect, &'static str>,
}

const ALL: &[Strategy] = &Strategy::ALL;
/// Strategies that send each request to one replica as long as that one answers.
const SINGLE: &[Strategy] = &[Retry, ActiveStandby, Hedged];
const SHARED: &[Strategy] = &[Retry, Hedged];
const STANDBY: &[Strategy] = &[ActiveStandby];
const REPLICATION: &[Strategy] = &[RequestReplication];
const NOT_STANDBY: &[Strategy] = &[Retry, RequestReplication, Hedged];

/// Any number of replicas.
const ANY: &[usize] = &[1, 2, 3];
const ONE: &[usize] = &[1];
const TWO: &[usize] = &[2];
const THREE: &[usize] = &[3];
/// Some other replica is there.
const MORE: &[usize] = &[2, 3];

const EVERY: &[Call] = &Call::ALL;
/// Requests that may run twice.
const SAFE: &[Call] = &[Get, KeyedPost];
/// Requests that may not.
const ONCE: &[Call] = &[Post];

const NO_OTHER: &str = "there is no other replica";
const WAS_RUNNING: &str = "what the dead replica was running must not run again";
const MET_CLOSING: &str = "who meets the closing of a connection can't know whether the request was read";
const SILENT: &str = "silence doesn't prove that nothing ran, so nobody may repeat it";
const RAN: &str = "an answer proves that it ran, and it must not run again";
const WAS_READ: &str = "it may have run before the reset, and must not run again";
const BEGUN: &str = "an answer that has begun can't be begun again";
const OWN_ANSWER: &str = "500 is the function's own answer";
const FOUND_OUT: &str =
    "who finds out that all are gone has tried them all by then; whoever comes later waits";
const NONE_LEFT: &str = "no replica is there";

const fn row(
    fault: Fault,
    strategies: &'static [Strategy],
    replicas: &'static [usize],
    calls: &'static [Call],
    failures: Failures,
    runs: u32,
    then: Then,
) -> Row {
    Row { fault, strategies, replicas, calls, expect: Ok(Expect { failures, runs, then }) }
}

const fn left_out(
    fault: Fault,
    strategies: &'static [Strategy],
    replicas: &'static [usize],
    why: &'static str,
) -> Row {
    Row { fault, strategies, replicas, calls: EVERY, expect: Err(why) }
}

/// Once on each replica: a hedge or copy never goes where the request already is. (The third of two copies comes with
/// the request in five seconds that asks how an idle replica is.)
pub(super) const EACH: u32 = u32::MAX;

/// As often as the policy tries: a machine that is busy with something else makes a well replica late, and then the
/// next one is asked. Once where a request must not run twice, or has nowhere else to run.
pub(super) const TRIES: u32 = u32::MAX - 1;

/// As often as a request waits for its only replica, which may be starting anew: whether it ran before the connection
/// broke, nobody can tell, and it is one that may run twice.
const RESTARTS: u32 = RESTART_PATIENCE + 1;

const NONE: Failures = Failures::None;

const fn open_then(why: &'static str) -> Failures {
    Failures::OpenThen(why)
}

const fn there(why: &'static str) -> Failures {
    Failures::ThoseSentThere(why)
}

/// Requests that are open at the fault or come later.
const fn from_fault_on(why: &'static str) -> Failures {
    Failures::Between(super::steps::FAULT_AT, Duration::MAX, why)
}

const fn between(from_ms: u64, until_ms: u64, why: &'static str) -> Failures {
    Failures::Between(Duration::from_millis(from_ms), Duration::from_millis(until_ms), why)
}

/// Each cell of strategy x fault x replicas x call is in exactly one line.
#[rustfmt::skip] // A table is read by its columns.
pub const TABLE: &[Row] = &[
    row(Killed,              ALL,         ONE,   EVERY, from_fault_on(NO_OTHER),         1,     ClientsAreTold),
    row(Killed,              SINGLE,      MORE,  SAFE,  NONE,                            TRIES, Anything),
    row(Killed,              REPLICATION, MORE,  SAFE,  NONE,                            EACH,  Anything),
    row(Killed,              ALL,         MORE,  ONCE,  open_then(WAS_RUNNING),          1,     Anything),

    row(Refused,             ALL,         ONE,   EVERY, from_fault_on(NO_OTHER),         1,     ClientsAreTold),
    row(Refused,             SINGLE,      MORE,  SAFE,  NONE,                            TRIES, Anything),
    row(Refused,             REPLICATION, MORE,  SAFE,  NONE,                            EACH,  Anything),
    row(Refused,             ALL,         MORE,  ONCE,  open_then(MET_CLOSING),          1,     Anything),

    row(Frozen,              ALL,         ONE,   EVERY, from_fault_on(NO_OTHER),         1,     Anything),
    row(Frozen,              SINGLE,      MORE,  SAFE,  NONE,                            TRIES, IsSetAside),
    // A copy's fault is seen only while it is the one that starts first.
    row(Frozen,              REPLICATION, MORE,  SAFE,  NONE,                            EACH,  Anything),
    row(Frozen,              ALL,         MORE,  ONCE,  from_fault_on(SILENT),           1,     Anything),

    row(FrozenAndProbed,     ALL,         ONE,   EVERY, from_fault_on(NO_OTHER),         1,     Anything),
    row(FrozenAndProbed,     SINGLE,      MORE,  SAFE,  NONE,                            TRIES, Anything),
    row(FrozenAndProbed,     SINGLE,      MORE,  ONCE,  between(1_000, 2_700, SILENT),   1,     Anything),
    row(FrozenAndProbed,     REPLICATION, MORE,  SAFE,  NONE,                            EACH,  IsSetAside),
    row(FrozenAndProbed,     REPLICATION, MORE,  ONCE,  between(1_000, 2_700, SILENT),   1,     Anything),

    row(Answers503,          ALL,         ONE,   EVERY, from_fault_on(NO_OTHER),         1,     Anything),
    row(Answers503,          SINGLE,      MORE,  SAFE,  NONE,                            TRIES, Anything),
    row(Answers503,          REPLICATION, MORE,  SAFE,  NONE,                            EACH,  Anything),
    row(Answers503,          ALL,         MORE,  ONCE,  there(RAN),                      1,     Anything),

    row(Answers500,          SINGLE,      ANY,   EVERY, there(OWN_ANSWER),               TRIES, IsUsed),
    row(Answers500,          REPLICATION, ONE,   EVERY, there(OWN_ANSWER),               1,     IsUsed),
    row(Answers500,          REPLICATION, MORE,  SAFE,  there(OWN_ANSWER),               EACH,  Anything),
    row(Answers500,          REPLICATION, MORE,  ONCE,  there(OWN_ANSWER),               1,     Anything),

    row(ResetsAfterRequest,  ALL,         ONE,   SAFE,  from_fault_on(NO_OTHER),         RESTARTS, ClientsAreTold),
    row(ResetsAfterRequest,  ALL,         ONE,   ONCE,  from_fault_on(NO_OTHER),         1,     ClientsAreTold),
    row(ResetsAfterRequest,  SINGLE,      MORE,  SAFE,  NONE,                            TRIES, IsSetAside),
    row(ResetsAfterRequest,  REPLICATION, MORE,  SAFE,  NONE,                            EACH,  Anything),
    row(ResetsAfterRequest,  ALL,         MORE,  ONCE,  there(WAS_READ),                 1,     IsSetAside),

    row(ResetsInAnswer,      SINGLE,      ONE,   EVERY, there(BEGUN),                    TRIES, Anything),
    row(ResetsInAnswer,      SINGLE,      MORE,  EVERY, there(BEGUN),                    TRIES, IsSetAside),
    row(ResetsInAnswer,      REPLICATION, ONE,   EVERY, there(BEGUN),                    1,     Anything),
    row(ResetsInAnswer,      REPLICATION, MORE,  SAFE,  there(BEGUN),                    EACH,  Anything),
    row(ResetsInAnswer,      REPLICATION, MORE,  ONCE,  there(BEGUN),                    1,     Anything),

    row(SilentAfterHead,     SINGLE,      ANY,   EVERY, there(BEGUN),                    TRIES, Anything),
    row(SilentAfterHead,     REPLICATION, ONE,   EVERY, there(BEGUN),                    1,     Anything),
    row(SilentAfterHead,     REPLICATION, MORE,  SAFE,  there(BEGUN),                    EACH,  Anything),
    row(SilentAfterHead,     REPLICATION, MORE,  ONCE,  there(BEGUN),                    1,     Anything),

    row(StartsSlowly,        SINGLE,      ONE,   EVERY, NONE,                                1,     IsUsed),
    row(StartsSlowly,        SHARED,      MORE,  EVERY, NONE,                                TRIES, IsUsed),
    // It is set aside while it is much slower than its peers. A standby that takes its role keeps it.
    row(StartsSlowly,        STANDBY,     MORE,  EVERY, NONE,                                TRIES, Anything),
    row(StartsSlowly,        REPLICATION, ONE,   EVERY, NONE,                            1,     IsUsed),
    row(StartsSlowly,        REPLICATION, MORE,  SAFE,  NONE,                            EACH,  Anything),
    row(StartsSlowly,        REPLICATION, MORE,  ONCE,  NONE,                            1,     Anything),

    row(SaysUnhealthy,       ALL,         ONE,   EVERY, NONE,                            1,     IsUsed),
    row(SaysUnhealthy,       SINGLE,      MORE,  EVERY, NONE,                            TRIES, IsSetAside),
    row(SaysUnhealthy,       REPLICATION, MORE,  SAFE,  NONE,                            EACH,  IsSetAside),
    row(SaysUnhealthy,       REPLICATION, MORE,  ONCE,  NONE,                            1,     IsSetAside),

    row(AllDown,             SINGLE,      ANY,   EVERY, from_fault_on(NONE_LEFT),        TRIES, ClientsAreTold),
    row(AllDown,             REPLICATION, ANY,   SAFE,  from_fault_on(NONE_LEFT),        EACH,  ClientsAreTold),
    row(AllDown,             REPLICATION, ANY,   ONCE,  from_fault_on(NONE_LEFT),        1,     ClientsAreTold),

    row(HalfBackAgain,       SINGLE,      ANY,   SAFE,  between(1_000, 1_100, FOUND_OUT),    TRIES, Anything),
    row(HalfBackAgain,       SINGLE,      ANY,   ONCE,  between(1_000, 1_100, FOUND_OUT),    1,     Anything),
    row(HalfBackAgain,       REPLICATION, ANY,   SAFE,  between(1_000, 1_100, FOUND_OUT),    EACH,  Anything),
    row(HalfBackAgain,       REPLICATION, ANY,   ONCE,  between(1_000, 1_100, FOUND_OUT),    1,     Anything),

    row(StandbyDeadBefore,   STANDBY,     TWO,   SAFE,  NONE,                            TRIES, Anything),
    row(StandbyDeadBefore,   STANDBY,     TWO,   ONCE,  open_then(WAS_RUNNING),          1,     Anything),
    row(StandbyDeadBefore,   STANDBY,     THREE, SAFE,  NONE,                            TRIES, Anything),
    row(StandbyDeadBefore,   STANDBY,     THREE, ONCE,  open_then(WAS_RUNNING),          1,     Anything),
    left_out(StandbyDeadBefore, STANDBY,     ONE, "one replica has no standby"),
    left_out(StandbyDeadBefore, NOT_STANDBY, ANY, "only active-standby keeps one that waits"),

    row(PromotedKilled,      STANDBY,     MORE,  SAFE,  NONE,                            TRIES, StandsBy),
    row(PromotedKilled,      SHARED,      MORE,  SAFE,  NONE,                            TRIES, Anything),
    row(PromotedKilled,      REPLICATION, MORE,  SAFE,  NONE,                            EACH,  Anything),
    row(PromotedKilled,      ALL,         MORE,  ONCE,  open_then(WAS_RUNNING),          1,     Anything),
    left_out(PromotedKilled, ALL,         ONE,   "one replica has nobody who takes over"),

    row(ScaledToZeroAndBack, SINGLE,      ANY,   EVERY, between(1_600, 3_000, NONE_LEFT), TRIES, Anything),
    row(ScaledToZeroAndBack, REPLICATION, ANY,   SAFE,  between(1_600, 3_000, NONE_LEFT), EACH,  Anything),
    row(ScaledToZeroAndBack, REPLICATION, ANY,   ONCE,  between(1_600, 3_000, NONE_LEFT), 1,     Anything),

    row(Replaced,            SINGLE,      ANY,   EVERY, NONE,                            TRIES, Anything),
    row(Replaced,            REPLICATION, ANY,   SAFE,  NONE,                            EACH,  Anything),
    row(Replaced,            REPLICATION, ANY,   ONCE,  NONE,                            1,     Anything),

    row(RolledOver,          SINGLE,      ANY,   EVERY, NONE,                            TRIES, Anything),
    row(RolledOver,          REPLICATION, ANY,   SAFE,  NONE,                            EACH,  Anything),
    row(RolledOver,          REPLICATION, ANY,   ONCE,  NONE,                            1,     Anything),

    row(EagerOutlierDetection, REPLICATION, MORE, SAFE,  NONE,                            EACH,  AllAreUsed),
    row(EagerOutlierDetection, REPLICATION, MORE, ONCE,  NONE,                            1,     Anything),
    left_out(EagerOutlierDetection, REPLICATION, ONE, "one replica is never hedged, so nothing counts as its fault"),
    left_out(EagerOutlierDetection, SINGLE,      ANY, "only hedges that win count as the faults of well replicas"),
];
