//! Envoy's timers: what they resolve, and how early they go off.
//!
//! Envoy's event loop (libevent) sets and checks them by `CLOCK_MONOTONIC_COARSE`, which moves on with the kernel's ticks:
//! every 4 ms on most kernels, and on one that is idle now and then up to 8 ms late. A timer of 12 ms went off after 8.4
//! to 15.8 there, after 12.2 to 12.6 with `EVENT_PRECISE_TIMER` in Envoy's environment. So a worker watches one of
//! its own: as early as that goes off hedges start.

use std::time::Duration;

use crate::time::millis;

/// How early timers are thought to be before they were watched: two ticks of a kernel with 250 a second.
pub const UNWATCHED: Duration = Duration::from_millis(8);

/// Timers count in these.
pub const TIMER_UNIT: Duration = Duration::from_millis(1);

/// Twice the longest tick that a kernel can be built with (100 a second): what seems earlier is a clock that was set.
const EARLIEST: Duration = Duration::from_millis(20);

/// Timers that are looked at together; with ten a second the earliest of the last six to ten seconds counts.
const WATCHED: u32 = 32;

/// When the first so many weren't early by as much as a [`TIMER_UNIT`], timers are exact: with 250 ticks a second one is
/// early by anything up to 4 ms, and four in a row by so little are one chance in 256; a hedge that starts too early tells
/// of it then. A worker that has two requests a second would need a quarter of a minute to watch [`WATCHED`].
const EXACT: u32 = 4;

/// How early timers go off, as one worker has seen.
#[derive(Debug, Clone)]
pub struct Timers {
    watched: u32,
    earliest: Duration,
    earliest_before: [Duration; 2],
}

impl Default for Timers {
    fn default() -> Self {
        Self { watched: 0, earliest: Duration::ZERO, earliest_before: [Duration::ZERO, UNWATCHED] }
    }
}

impl Timers {
    /// A timer of `asked` went off after `took`.
    pub fn went_off(&mut self, asked: Duration, took: Duration) {
        let early = asked.saturating_sub(took);
        if early > EARLIEST {
            return;
        }
        if self.watched == WATCHED {
            self.earliest_before = [self.earliest, self.earliest_before[0]];
            (self.watched, self.earliest) = (0, Duration::ZERO);
        }
        self.watched += 1;
        self.earliest = self.earliest.max(early);
        if self.watched == EXACT && self.earliest < TIMER_UNIT {
            self.earliest_before[1] = Duration::ZERO;
        }
    }

    /// How much earlier than asked a timer may go off.
    #[must_use]
    pub fn early(&self) -> Duration {
        self.earliest_before.into_iter().fold(self.earliest, Duration::max)
    }
}

/// `span` as a timer counts it: the nearest millisecond, for there is none of nothing.
#[must_use]
pub fn whole_millis(span: Duration) -> Duration {
    Duration::from_millis(millis(span + Duration::from_micros(500)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Duration = Duration::from_millis(100);

    fn watch(timers: &mut Timers, took: u64, times: u32) -> u128 {
        (0..times).for_each(|_| timers.went_off(ASKED, Duration::from_millis(took)));
        timers.early().as_millis()
    }

    #[test]
    fn timers_are_as_early_as_the_earliest_of_the_last_seconds() {
        let mut timers = Timers::default();
        assert_eq!(watch(&mut timers, 101, 1), 8, "nothing is known yet");
        assert_eq!(watch(&mut timers, 89, 1), 11);
        assert_eq!(watch(&mut timers, 98, 2 * WATCHED), 11);
        assert_eq!(watch(&mut timers, 98, WATCHED), 2);
        assert_eq!(watch(&mut timers, 100, 3 * WATCHED), 0);
    }

    #[test]
    fn that_timers_are_exact_is_known_after_a_few_and_that_they_are_not_after_many() {
        let mut timers = Timers::default();
        assert_eq!(watch(&mut timers, 100, EXACT - 1), 8);
        assert_eq!(watch(&mut timers, 100, 1), 0);
        let mut coarse = Timers::default();
        assert_eq!(watch(&mut coarse, 97, 1), 8);
        assert_eq!(watch(&mut coarse, 100, WATCHED - 1), 8);
        assert_eq!(watch(&mut coarse, 100, 1), 3);
    }

    #[test]
    fn a_clock_that_was_set_is_no_early_timer() {
        let mut timers = Timers::default();
        assert_eq!(watch(&mut timers, 0, EXACT), 8);
    }

    #[test]
    fn a_timer_is_of_a_millisecond_at_least() {
        let whole = |us| whole_millis(Duration::from_micros(us)).as_millis();
        assert_eq!([0, 300, 1_400, 1_500].map(whole), [1, 1, 1, 2]);
    }
}
