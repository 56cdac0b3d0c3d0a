//! A worker's ticks: when the next one is wanted, whose count, and how early they come.
//!
//! A newer configuration comes to the same virtual machine as another root context, and each has ticks of its own.

use std::time::Duration;

use crate::time::{Micros, Millis};
use crate::timer::Timers;

/// Time between two ticks: counts are handed over, checks fall due and the view's age is looked at this often.
pub const TICK: Duration = Duration::from_millis(100);

/// A tick asked for because something shouldn't wait for the next one. The shortest that a timer knows.
pub const TICK_SOON: Duration = Duration::from_millis(1);

/// What one worker knows of its ticks.
#[derive(Debug, Clone)]
pub struct Ticks {
    now: Millis,
    count: u64,
    soon: bool,
    /// When the next tick was asked for, if a request has done so.
    asked: Option<Micros>,
    /// The root context whose ticks count: the newest, or another one where that has fallen silent.
    ticker: u32,
    timers: Timers,
}

/// What a tick means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// The time until the next one has to be asked for anew.
    pub ask: bool,
    /// It is time to do what ticks are for.
    pub counts: bool,
}

impl Ticks {
    /// Those of the root context `root` count from now on.
    #[must_use]
    pub fn new(root: u32, now: Millis) -> Self {
        Self { now, count: 0, soon: false, asked: None, ticker: root, timers: Timers::default() }
    }

    /// The time of the last tick that counted: fine enough where a host call for the time would be too dear.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.now
    }

    /// How many have counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Those of a newer root context count.
    pub fn are_of(&mut self, root: u32) {
        self.ticker = root;
    }

    /// One is wanted after [`TICK_SOON`]; says whether it has to be asked for.
    pub fn hurry(&mut self) -> bool {
        self.asked = None;
        !std::mem::replace(&mut self.soon, true)
    }

    /// Nobody knows yet when the next one was asked for: the first request after each asks anew, so that it is seen how
    /// early it comes, as early as hedges start. Those that the host repeats by itself are never early, for it asks for the
    /// next one when the clock has just moved on.
    #[must_use]
    pub fn are_unwatched(&self) -> bool {
        self.asked.is_none() && !self.soon
    }

    /// The next one was asked for at this moment, to come after [`TICK`].
    pub fn watch(&mut self, asked: Micros) {
        self.asked = Some(asked);
    }

    /// One has come, of the root context `root`.
    pub fn came(&mut self, root: u32, clock: Micros) -> Tick {
        let now = clock.millis();
        let since = now.since(self.now);
        let soon = std::mem::take(&mut self.soon);
        if since > 2 * TICK {
            self.ticker = root;
        }
        let is_tickers = self.ticker == root;
        if let Some(asked) = self.asked.take().filter(|_| is_tickers) {
            self.timers.went_off(TICK, clock.since(asked));
        }
        let counts = soon || is_tickers;
        if counts {
            self.now = now;
            self.count = self.count.wrapping_add(1);
        }
        // Whichever root context was asked to tick soon does so as usual from now on.
        Tick { ask: soon || since < TICK / 2, counts }
    }

    /// A timer that was to go off after `asked` went off after `took`.
    pub fn went_off(&mut self, asked: Duration, took: Duration) {
        self.timers.went_off(asked, took);
    }

    /// How much earlier than asked a timer may go off.
    #[must_use]
    pub fn early(&self) -> Duration {
        self.timers.early()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: u32 = 1;
    const NEW: u32 = 2;

    fn at(millis: u64) -> Micros {
        Micros(millis * 1_000)
    }

    fn ticks() -> Ticks {
        Ticks::new(OLD, Millis(1_000))
    }

    #[test]
    fn each_tick_counts_and_the_host_repeats_them() {
        let mut ticks = ticks();
        assert_eq!(ticks.came(OLD, at(1_100)), Tick { ask: false, counts: true });
        assert_eq!(ticks.came(OLD, at(1_200)), Tick { ask: false, counts: true });
        assert_eq!((ticks.now(), ticks.count()), (Millis(1_200), 2));
    }

    #[test]
    fn one_that_is_wanted_soon_is_asked_for_once_and_the_next_again_as_usual() {
        let mut ticks = ticks();
        assert!(ticks.hurry());
        assert!(!ticks.hurry());
        assert_eq!(ticks.came(OLD, at(1_001)), Tick { ask: true, counts: true });
        assert_eq!(ticks.came(OLD, at(1_101)), Tick { ask: false, counts: true });
        assert!(ticks.hurry());
    }

    #[test]
    fn of_two_root_contexts_the_newer_ones_count_until_it_falls_silent() {
        let mut ticks = ticks();
        ticks.are_of(NEW);
        assert!(!ticks.came(OLD, at(1_090)).counts);
        assert!(ticks.came(NEW, at(1_100)).counts);
        assert!(!ticks.came(OLD, at(1_290)).counts);
        assert!(ticks.came(OLD, at(1_390)).counts, "nobody has for longer than two ticks");
        assert!(!ticks.came(NEW, at(1_400)).counts);
    }

    #[test]
    fn how_early_one_comes_is_seen_where_a_request_has_asked_for_it() {
        let mut ticks = ticks();
        let early = ticks.early();
        for tick in 1..=200_u64 {
            let asked = at(1_000 + 100 * tick);
            assert!(ticks.are_unwatched());
            ticks.watch(asked);
            assert!(!ticks.are_unwatched());
            ticks.came(OLD, Micros(asked.0 + 97_000));
        }
        assert_eq!(ticks.early().as_millis(), 3);
        assert!(early > ticks.early(), "they are thought to be earlier before they were watched");
        ticks.went_off(Duration::from_millis(20), Duration::from_millis(15));
        assert_eq!(ticks.early().as_millis(), 5);
    }
}
