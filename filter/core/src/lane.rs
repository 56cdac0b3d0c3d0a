//! A lane: what one worker alone knows of one replica, from the requests that it sent there itself.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::time::{Micros, Millis, micros};

/// So many requests in a row that a replica left unanswered, while it answered nothing else, are a sign. Fewer may all
/// be slow ones: with 5 % stragglers three in a row are one in eight thousand.
pub const SILENT_REQUESTS: u32 = 3;

/// The same of a function that is often late. While requests come and are answered independently of each other, n
/// come between two answers in one of e^n cases: twelve in one of 160,000.
pub const SILENT_REQUESTS_OF_OFTEN_LATE: u32 = 12;

/// A silence that lasts this many times as long as the latest answer is a sign with [`SILENT_REQUESTS`] whatever the
/// function: of a lognormal one (sigma 1) one request in 250 takes as long. Where few come, a dozen would use up what its
/// budget has left.
pub const LONG_SILENCE: u32 = 4;

/// A silence shorter than this is no sign, however fast the function is: a machine that runs something else for one of
/// its scheduler's turns is silent that long.
pub const LEAST_SILENCE: Duration = Duration::from_millis(10);

/// What one worker alone knows of one replica.
#[derive(Debug, Default)]
pub struct Lane {
    in_flight: Cell<u32>,
    usual_load: Cell<f32>,
    asked: Cell<u32>,
    due: Cell<Micros>,
    enough: Cell<u32>,
    overdue: Cell<Micros>,
    losses: Cell<u32>,
    first_loss: Cell<Millis>,
    last_loss: Cell<Millis>,
    slowness: Cell<f32>,
    heard_of: Cell<u32>,
}

impl Lane {
    /// Requests of this worker that were led to the replica first and are not over.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight.get()
    }

    /// It has many more requests in flight than it usually has: it works off a queue, or has more to do than it can.
    #[must_use]
    pub fn is_full(&self) -> bool {
        #[allow(clippy::cast_precision_loss, reason = "exact up to sixteen million requests at once")]
        let load = self.in_flight.get() as f32;
        load > self.usual_load.get() * FULL_TIMES + FULL_AT_LEAST
    }

    /// How many starts the replica has lost since it last won a race.
    #[must_use]
    pub fn losses(&self) -> u32 {
        self.losses.get()
    }

    /// It has lost the last one.
    #[must_use]
    pub fn is_losing(&self) -> bool {
        self.losses.get() > 0
    }

    /// When it last lost one.
    #[must_use]
    pub fn last_loss(&self) -> Millis {
        self.last_loss.get()
    }

    /// When it lost the first of them.
    #[must_use]
    pub fn first_loss(&self) -> Millis {
        self.first_loss.get()
    }

    pub(crate) fn lost(&self, now: Millis) {
        if self.losses.get() == 0 {
            self.first_loss.set(now);
        }
        self.losses.set(self.losses.get().saturating_add(1));
        self.last_loss.set(now);
    }

    pub(crate) fn won(&self) {
        self.losses.set(0);
    }

    /// The replica answered a request that was led to it first.
    pub fn heard(&self) {
        self.asked.set(0);
    }

    /// A request was led to it first, whose answer is `expected`.
    fn ask(&self, expected: Expected, now: Micros) {
        let after = micros(expected.after.max(tuned!(LEAST_SILENCE)));
        let (due, overdue) = (Micros(now.0 + after), Micros(now.0 + after * u64::from(tuned!(LONG_SILENCE))));
        let enough = if expected.is_often_late {
            tuned!(SILENT_REQUESTS_OF_OFTEN_LATE)
        } else {
            tuned!(SILENT_REQUESTS)
        };
        let is_first = self.asked.get() == 0;
        self.due.set(if is_first { due } else { self.due.get().min(due) });
        self.overdue.set(if is_first { overdue } else { self.overdue.get().min(overdue) });
        self.enough.set(if is_first { enough } else { self.enough.get().max(enough) });
        self.asked.set(self.asked.get().saturating_add(1));
    }

    /// It has left so many unanswered for so long that this is a sign, and has answered nothing else meanwhile.
    #[must_use]
    pub fn is_silent(&self, now: Micros) -> bool {
        let enough = if now > self.overdue.get() { tuned!(SILENT_REQUESTS) } else { self.enough.get() };
        self.in_flight.get() > 0 && self.asked.get() >= enough && now > self.due.get()
    }

    /// Takes in how many times as long as usual an answer of the replica took, before its request gives up its place.
    pub fn took(&self, times: f32) {
        if times < IN_USUAL_TIME {
            #[allow(clippy::cast_precision_loss, reason = "exact up to sixteen million requests at once")]
            let (load, usual) = (self.in_flight.get() as f32, self.usual_load.get());
            self.usual_load.set(usual + (load - usual) * LOAD_FOLLOWS_BY);
        }
        self.heard_of.set(self.heard_of.get().saturating_add(1));
        // A median that follows: from the usual time up or down by a step, whichever side the answer is on. A first
        // answer alone says nothing: it may be the one that a stall has held up.
        let known = if self.slowness.get() == 0.0 { 1.0 } else { self.slowness.get() };
        self.slowness.set(if times > known { known * SLOWNESS_STEP } else { known / SLOWNESS_STEP });
    }

    /// How many times as long as usual the replica takes, in the median; nothing before enough is known.
    #[must_use]
    pub fn slowness(&self) -> Option<f32> {
        (self.heard_of.get() >= SLOWNESS_ENOUGH).then(|| self.slowness.get())
    }

    /// Forgets how slow it was: it gets a new trial.
    pub(crate) fn forget_slowness(&self) {
        self.slowness.set(0.0);
        self.heard_of.set(0);
    }
}

/// A replica is full with this many times its usual requests in flight, and [`FULL_AT_LEAST`] more. Poisson arrivals
/// stay below that; a queue doesn't.
const FULL_TIMES: f32 = 3.0;

/// What an idle replica may have in flight at once: a small burst.
const FULL_AT_LEAST: f32 = 4.0;

/// What a replica has in flight is usual only while it answers in less than this many times its usual time: what a
/// stall has heaped up is no load that it bears.
const IN_USUAL_TIME: f32 = 2.0;

/// The usual load follows by this part with each answer: a load that stays is usual after some two thousand of them.
/// Quicker, and a queue of a few hundred would become usual while it is worked off, for the function's pace follows it.
/// Until then a load that rose is shared with a standby.
const LOAD_FOLLOWS_BY: f32 = 1.0 / 2_048.0;

/// The median of a replica's latencies moves by this factor with each answer: it follows one that became three times
/// as slow within 23 answers. With 1.1 the medians of equal replicas of an uneven function (lognormal, sigma 1) differed
/// by three now and then.
const SLOWNESS_STEP: f32 = 1.05;

/// With fewer answers than this a replica's median isn't one.
const SLOWNESS_ENOUGH: u32 = 8;

/// When an answer is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// After how long it is late.
    pub after: Duration,
    /// It often is.
    pub is_often_late: bool,
}

/// A request's place in the lane of the replica that it was led to first; given back when it is dropped, however the
/// request ends.
#[derive(Debug)]
pub struct InFlight(Rc<Lane>);

impl InFlight {
    /// Takes a place. `expected`: when the answer is late, where that can be told. It can't for a request whose client may
    /// still be sending it, and for one of a kind that stays open for long.
    #[must_use]
    pub fn enter(lane: &Rc<Lane>, expected: Option<Expected>, now: Micros) -> Self {
        if lane.in_flight.get() == 0 {
            lane.heard();
        }
        if let Some(expected) = expected {
            lane.ask(expected, now);
        }
        lane.in_flight.set(lane.in_flight.get().saturating_add(1));
        Self(lane.clone())
    }

    /// The lane.
    #[must_use]
    pub fn lane(&self) -> &Lane {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Option<Expected> = Some(after(16));

    const fn after(millis: u64) -> Expected {
        Expected { after: Duration::from_millis(millis), is_often_late: false }
    }

    fn at(millis: u64) -> Micros {
        Micros(1_000_000_000 + millis * 1_000)
    }

    #[test]
    fn three_requests_of_which_one_is_late_are_a_silence() {
        let lane = Rc::new(Lane::default());
        let mut waiting: Vec<InFlight> = (0..2).map(|n| InFlight::enter(&lane, USUAL, at(n * 5))).collect();
        assert!(!lane.is_silent(at(100)), "two may both be slow");
        waiting.push(InFlight::enter(&lane, USUAL, at(10)));
        assert!(!lane.is_silent(at(16)));
        assert!(lane.is_silent(at(17)));
        lane.heard();
        assert!(!lane.is_silent(at(100)), "it spoke, and nothing was asked since");
    }

    #[test]
    fn of_a_function_that_is_often_late_it_takes_a_dozen() {
        let lane = Rc::new(Lane::default());
        let often_late = Some(Expected { is_often_late: true, ..after(16) });
        let mut waiting: Vec<InFlight> = (0..3).map(|_| InFlight::enter(&lane, USUAL, at(0))).collect();
        assert!(lane.is_silent(at(20)));
        waiting.extend((3..11).map(|_| InFlight::enter(&lane, often_late, at(0))));
        assert!(!lane.is_silent(at(64)), "some of them are of a kind that often is late");
        assert!(lane.is_silent(at(65)), "but not as late as that");
        waiting.push(InFlight::enter(&lane, USUAL, at(0)));
        assert!(lane.is_silent(at(20)));
    }

    #[test]
    fn a_replica_with_a_queue_is_full_until_that_is_usual() {
        let lane = Rc::new(Lane::default());
        let enter = || InFlight::enter(&lane, None, at(0));
        let small_burst: Vec<InFlight> = (0..4).map(|_| enter()).collect();
        assert!(!lane.is_full());
        let queue: Vec<InFlight> = (0..4).map(|_| enter()).collect();
        assert!(lane.is_full());
        let answer = |times| (0..8_000).for_each(|_| lane.took(times));
        answer(5.0);
        assert!(lane.is_full(), "it is late with all of them");
        answer(1.0);
        assert!(!lane.is_full(), "eight in flight are usual by now");
        drop((small_burst, queue));
    }

    #[test]
    fn an_idle_replica_is_not_silent() {
        let lane = Rc::new(Lane::default());
        drop((0..5).map(|n| InFlight::enter(&lane, USUAL, at(n))).collect::<Vec<_>>());
        assert!(!lane.is_silent(at(1_000)));
        let soon = Some(after(2));
        let _waiting: Vec<InFlight> = (0..3).map(|_| InFlight::enter(&lane, soon, at(2_000))).collect();
        assert!(!lane.is_silent(at(2_010)), "it was asked only now, and machines pause");
        assert!(lane.is_silent(at(2_011)));
    }

    #[test]
    fn uploads_and_streams_are_no_sign_and_each_kind_has_its_own_time() {
        let lane = Rc::new(Lane::default());
        let _streams: Vec<InFlight> = (0..5).map(|n| InFlight::enter(&lane, None, at(n))).collect();
        assert!(!lane.is_silent(at(60_000)));
        let slow = Some(after(90));
        let _slow: Vec<InFlight> = (0..3).map(|_| InFlight::enter(&lane, slow, at(60_000))).collect();
        assert!(!lane.is_silent(at(60_020)) && lane.is_silent(at(60_091)));
    }

    #[test]
    fn slowness_is_a_median_and_stragglers_do_not_move_it() {
        let lane = Lane::default();
        assert_eq!(lane.slowness(), None);
        (0..200).for_each(|n| lane.took(if n % 20 == 0 { 16.0 } else { 1.0 }));
        assert!(lane.slowness().unwrap() < 1.3, "{:?}", lane.slowness());
        (0..25).for_each(|_| lane.took(4.0));
        assert!(lane.slowness().unwrap() > 2.9, "{:?}", lane.slowness());
        lane.forget_slowness();
        assert_eq!(lane.slowness(), None);
    }
}
