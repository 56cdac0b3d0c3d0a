//! The pace of one kind of request: how long it usually takes, and after how long the next replica starts.

use std::time::Duration;

use crate::speed::Speed;

/// The hedge delay before enough is known: what a person waits without noticing. Too long to run anything twice that
/// is merely slow, short enough to save a request from a replica that froze just then.
pub const COLD_DELAY: Duration = Duration::from_secs(1);

/// A request that takes this many times as long as its usual delay hangs, rather than being slow: a function that
/// became ten times as slow is not run twice by those that are only saved from hanging.
pub const MUCH_LATER: u32 = 16;

/// Envoy's timers go off up to this much early: they are set by a clock that moves on with the kernel's ticks.
pub const TIMERS_EARLY: Duration = Duration::from_millis(1);

/// After how long a request that is late after `delay` hangs: at most [`COLD_DELAY`], unless the delay itself is longer.
#[must_use]
pub fn much_later(delay: Duration) -> Duration {
    delay.saturating_mul(tuned!(MUCH_LATER)).min(tuned!(COLD_DELAY)).max(delay)
}

/// With fewer latencies than this the 90th percentile is a single request's whim.
pub const ENOUGH: usize = 16;

/// What a request usually takes at most, in percent of all: the body of the distribution. The tail above it may
/// already be the fault that a hedge is to cure.
pub const BODY: usize = 90;

/// Least time between the body and the hedge: Envoy's timers count whole milliseconds, and a machine that does other
/// things is a millisecond late now and then.
pub const LEAST_MARGIN: Duration = Duration::from_millis(2);

/// The margin is this part of the body where that is more.
pub const MARGIN_PART: u32 = 8;

/// A hedge that lost makes the delay this much longer.
const LOST: f32 = 1.05;

/// A hedge that won takes back what twelve lost ones did, so that the delay rises only where fewer than one of
/// thirteen wins. Of a lognormal function (sigma 0.5) one of eight does, of a function that got slower none.
const WON: f32 = 1.0 / 1.796;

/// Each answer takes this part of the caution back: a steady function is hedged in vain once in some 500 requests.
const CALMED_BY: f32 = 1.0 / 4_096.0;

/// Most caution: the delay of a function whose hedges always lose, in lengths of its usual one.
const MOST_CAUTION: f32 = 8.0;

/// The pace of one kind of request in one worker.
#[derive(Debug, Clone)]
pub struct Pace {
    speed: Speed,
    caution: f32,
    told: Option<Duration>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { speed: Speed::default(), caution: 1.0, told: None }
    }
}

impl Pace {
    /// What `percent` of the requests didn't exceed: as this worker has seen, else as another one told.
    #[must_use]
    pub fn usual(&self, percent: usize) -> Option<Duration> {
        if self.speed.known() >= tuned!(ENOUGH) { self.speed.quantile(percent) } else { self.told }
    }

    /// After how long a request is later than usual.
    #[must_use]
    pub fn delay(&self) -> Duration {
        let Some(body) = self.usual(tuned!(BODY)) else { return tuned!(COLD_DELAY) };
        (body + tuned!(LEAST_MARGIN).max(body / tuned!(MARGIN_PART))).mul_f32(self.caution)
    }

    /// After how long the next replica starts where the whole budget of `percent` may go into hedges.
    #[must_use]
    pub fn eager_delay(&self, percent: u8) -> Duration {
        let rest = 100_usize.saturating_sub(usize::from(percent)).max(50);
        self.usual(rest)
            .map_or(tuned!(COLD_DELAY), |usual| usual.max(tuned!(LEAST_MARGIN)).mul_f32(self.caution))
    }

    /// An answer came after `latency`, or would have come later still.
    pub fn answered(&mut self, latency: Duration) {
        self.speed.add(latency);
        self.caution -= (self.caution - 1.0) * CALMED_BY;
    }

    /// A hedge was made, and won or lost.
    pub fn hedged(&mut self, won: bool) {
        let caution = self.caution * if won { tuned!(WON) } else { tuned!(LOST) };
        self.caution = caution.clamp(1.0, MOST_CAUTION);
    }

    /// Another worker has seen this body.
    pub fn told(&mut self, body: Duration) {
        self.told = Some(body);
    }

    /// This worker has seen enough to tell others.
    #[must_use]
    pub fn body(&self) -> Option<Duration> {
        self.usual(tuned!(BODY)).filter(|_| self.speed.known() >= tuned!(ENOUGH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(latency: u64, answers: usize) -> Pace {
        let mut pace = Pace::default();
        (0..answers).for_each(|_| pace.answered(Duration::from_millis(latency)));
        pace
    }

    #[test]
    fn a_cold_function_is_hedged_after_a_second_and_a_warm_one_soon_after_its_body() {
        assert_eq!(pace(13, ENOUGH - 1).delay(), COLD_DELAY);
        let warm = pace(13, ENOUGH).delay();
        assert!(warm > Duration::from_micros(14_900) && warm < Duration::from_micros(15_200), "{warm:?}");
        assert!(pace(160, ENOUGH).delay() > Duration::from_millis(178));
        assert!(pace(1, ENOUGH).delay() >= LEAST_MARGIN);
    }

    #[test]
    fn what_another_worker_told_counts_until_enough_is_known() {
        let mut pace = Pace::default();
        pace.told(Duration::from_millis(40));
        assert_eq!((pace.delay().as_millis(), pace.body()), (45, None));
        (0..ENOUGH).for_each(|_| pace.answered(Duration::from_millis(10)));
        assert!(pace.delay() < Duration::from_millis(13));
    }

    #[test]
    fn hedges_that_lose_make_it_wait_and_one_that_wins_forgives_a_dozen() {
        let mut pace = pace(13, ENOUGH);
        let usual = pace.delay();
        (0..12).for_each(|_| pace.hedged(false));
        assert!(pace.delay() > usual.mul_f32(1.7));
        pace.hedged(true);
        assert!(pace.delay() < usual.mul_f32(1.01));
        (0..1_000).for_each(|_| pace.hedged(false));
        assert!(pace.delay() < usual.mul_f32(MOST_CAUTION + 0.1));
        (0..20_000).for_each(|_| pace.answered(Duration::from_millis(13)));
        assert!(pace.delay() < usual.mul_f32(1.1), "forgotten in time");
    }

    #[test]
    fn a_function_may_spend_its_whole_budget_on_its_tail() {
        let mut pace = Pace::default();
        (1..=100).for_each(|latency| pace.answered(Duration::from_millis(latency)));
        let delay = |percent| pace.eager_delay(percent).as_millis();
        assert!((90..=92).contains(&delay(10)), "{}", delay(10));
        assert!((50..=52).contains(&delay(100)), "never below the median: {}", delay(100));
    }
}
