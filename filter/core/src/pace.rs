//! The pace of one kind of request: how long it usually takes, and after how long the next replica starts.

use std::time::Duration;

use crate::speed::Speed;
use crate::time::micros;
use crate::timer::TIMER_UNIT;

/// The hedge delay before enough is known: what a person waits without noticing. Too long to run anything twice that
/// is merely slow, short enough to save a request from a replica that froze just then.
pub const COLD_DELAY: Duration = Duration::from_secs(1);

/// A request that takes this many times as long as its usual delay hangs, rather than being slow: a function that
/// became ten times as slow is not run twice by those that are only saved from hanging.
pub const MUCH_LATER: u32 = 16;

/// After how long a request that is late after `delay` hangs: at most [`COLD_DELAY`], unless the delay itself is longer.
#[must_use]
pub fn much_later(delay: Duration) -> Duration {
    delay.saturating_mul(tuned!(MUCH_LATER)).min(tuned!(COLD_DELAY)).max(delay)
}

/// With fewer latencies than this the 90th percentile is a single request's whim: from eleven on it isn't the slowest.
pub const ENOUGH: usize = 12;

/// From this many latencies on, up to [`ENOUGH`], a request is late that takes half as long again as the body of them: a
/// function that is called twice a second would else be unprotected for six.
pub const FEW: usize = 4;

/// What a request usually takes at most, in percent of all: the body of the distribution. The tail above it may
/// already be the fault that a hedge is to cure.
pub const BODY: usize = 90;

/// Least time between the body and the hedge of a function that always takes the same: Envoy's timers count whole
/// milliseconds, and a machine that does other things is a millisecond late now and then. Where timers go off earlier
/// than asked it is that much.
pub const LEAST_MARGIN: Duration = Duration::from_millis(2);

/// That margin is this part of the body where that is more.
pub const MARGIN_PART: u32 = 8;

/// This part of the time between median and body comes off the margin: what an uneven function takes longer now and then
/// is no timer's doing, and each millisecond of margin makes its tail longer.
const SPREAD_PART: u32 = 4;

/// A replica that is silent for this part of the body beyond it gives a sign, if the hedge doesn't start later still: of
/// an uneven function several in a row take as long as the body every other minute.
pub const SILENCE_PART: u32 = 8;

/// A hedge that lost makes the delay of a steady function this much longer: it was the machine's doing, and will be
/// again. With half of it two busy cores cost twice as many hedges in vain (at 2,000 requests a second 30 in 8 s, not 12).
const LOST: f32 = 1.05;

/// The same of a function that is uneven by itself, whose hedges lose as a rule. With four times that its delay swings so
/// far that half of what its budget would bear isn't spent, and its tail is as long as if there were none.
const LOST_OF_UNEVEN: f32 = 1.006;

/// A function is uneven by itself whose body is this part of it beyond the median. Of a lognormal one it is with a sigma
/// from 0.23 on; what a machine adds to a function of 10 ms is a tenth of that.
const UNEVEN_PART: u32 = 4;

/// A hedge that won takes back what so many lost ones did, so that the delay rises only where fewer than one of thirteen
/// wins. Of a lognormal function (sigma 0.5) one of eight does, of a function that got slower none.
const WON: u32 = 12;

/// Each answer takes this part of the caution back: half of it is gone after some three thousand.
const CALMED_BY: f32 = 1.0 / 4_096.0;

/// Most caution: the delay of a function whose hedges always lose, in lengths of its usual one.
const MOST_CAUTION: f32 = 8.0;

/// The share of requests that were late follows by this part with each: what a frozen replica costs until it is set aside is
/// forgotten after some hundred.
const LATE_FOLLOWS_BY: f32 = 1.0 / 256.0;

/// A function is often late if more than this share of its requests was. Eight in a row are as much, and a replica
/// that froze is set aside after seven; of one with 5 % stragglers 5 % are.
pub const OFTEN_LATE: f32 = 1.0 / 32.0;

/// The pace of one kind of request in one worker.
#[derive(Debug, Clone)]
pub struct Pace {
    speed: Speed,
    usual: Option<Usual>,
    caution: f32,
    late: f32,
    told: Option<Duration>,
}

/// What most requests take at most, and what half of them do: each request is planned by it.
#[derive(Debug, Clone, Copy)]
struct Usual {
    body: Duration,
    median: Duration,
}

impl Usual {
    /// How far the body is beyond the median.
    fn spread(self) -> Duration {
        self.body.saturating_sub(self.median)
    }

    /// The function is uneven by itself.
    fn is_uneven(self) -> bool {
        self.spread() > self.body / tuned!(UNEVEN_PART)
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self { speed: Speed::default(), usual: None, caution: 1.0, late: 0.0, told: None }
    }
}

impl Pace {
    /// What `percent` of the requests didn't exceed: as this worker has seen, else as another one told.
    #[must_use]
    pub fn usual(&self, percent: usize) -> Option<Duration> {
        if self.speed.known() >= tuned!(ENOUGH) { self.speed.quantile(percent) } else { self.told }
    }

    /// The least that a request takes, as far as is known.
    #[must_use]
    pub fn quickest(&self) -> Option<Duration> {
        self.speed.quantile(0)
    }

    /// After how long a request is later than usual, where timers may go off as much as `early`.
    #[must_use]
    pub fn delay(&self, early: Duration) -> Duration {
        let Some(usual) = self.usual else { return self.cold_delay(early) };
        let body = usual.body;
        let margin = tuned!(LEAST_MARGIN).max(body / tuned!(MARGIN_PART));
        let late = body + margin.saturating_sub(usual.spread() / tuned!(SPREAD_PART));
        // An uneven function's hedges are for its tail, and may as well start within the body.
        let earliest = if usual.is_uneven() { body } else { body + early + TIMER_UNIT };
        times(late.max(earliest), self.caution)
    }

    /// After how long a replica's silence is a sign at the earliest; nothing before the function's speed is known.
    #[must_use]
    pub fn silence(&self) -> Option<Duration> {
        self.usual.map(|usual| usual.body + usual.body / tuned!(SILENCE_PART))
    }

    /// What half of the requests take at most.
    #[must_use]
    pub fn median(&self) -> Option<Duration> {
        self.usual.map(|usual| usual.median)
    }

    /// The function is uneven by itself, as far as is known.
    fn is_uneven(&self) -> bool {
        self.usual.is_some_and(Usual::is_uneven)
    }

    /// That a request is late says little of its replica: it is uneven by itself, or has stragglers beyond its body.
    #[must_use]
    pub fn is_often_late(&self) -> bool {
        self.late > tuned!(OFTEN_LATE) || self.is_uneven()
    }

    fn cold_delay(&self, early: Duration) -> Duration {
        let body = self.speed.quantile(tuned!(BODY)).filter(|_| self.speed.known() >= tuned!(FEW));
        let late = body.map(|body| body + (body / 2).max(least_margin(early)));
        late.map_or(tuned!(COLD_DELAY), |late| times(late, self.caution).min(tuned!(COLD_DELAY)))
    }

    /// The same where the whole budget of `percent` may go into hedges.
    #[must_use]
    pub fn eager_delay(&self, percent: u8, early: Duration) -> Duration {
        let rest = 100_usize.saturating_sub(usize::from(percent)).max(50);
        let Some((usual, median)) = self.usual(rest).zip(self.median()) else {
            return self.cold_delay(early);
        };
        // Of a steady function the body's end is its median: nobody is late before the margin is over.
        times(usual.max(median + least_margin(early)), self.caution)
    }

    /// An answer came after `latency`, or would have come later still.
    pub fn answered(&mut self, latency: Duration) {
        self.speed.add(latency);
        self.look();
        self.caution -= (self.caution - 1.0) * CALMED_BY;
        self.late -= self.late * LATE_FOLLOWS_BY;
    }

    /// A hedge was made, and won or lost.
    pub fn hedged(&mut self, won: bool) {
        let lost = if self.is_uneven() { tuned!(LOST_OF_UNEVEN) } else { tuned!(LOST) };
        let caution =
            if won { self.caution / lost.powi(tuned!(WON).cast_signed()) } else { self.caution * lost };
        self.caution = caution.clamp(1.0, MOST_CAUTION);
    }

    /// A request was late, and not merely tried again because its first attempt failed.
    pub fn was_late(&mut self) {
        self.late += (1.0 - self.late) * LATE_FOLLOWS_BY;
    }

    /// Another worker has seen this body.
    pub fn told(&mut self, body: Duration) {
        self.told = Some(body);
        self.look();
    }

    fn look(&mut self) {
        let usual = self.usual(tuned!(BODY)).zip(self.usual(50));
        self.usual = usual.map(|(body, median)| Usual { body, median });
    }

    /// This worker has seen enough to tell others.
    #[must_use]
    pub fn body(&self) -> Option<Duration> {
        self.usual.map(|usual| usual.body).filter(|_| self.speed.known() >= tuned!(ENOUGH))
    }
}

/// [`LEAST_MARGIN`] where timers may go off as much as `early`.
fn least_margin(early: Duration) -> Duration {
    tuned!(LEAST_MARGIN).max(early + TIMER_UNIT)
}

/// `span` so many times, to the microsecond.
fn times(span: Duration, factor: f32) -> Duration {
    #[allow(clippy::cast_precision_loss, reason = "exact up to 16 s, and to a ten-millionth beyond")]
    let micros = micros(span) as f32;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a factor is at least 1")]
    Duration::from_micros((micros * factor) as u64)
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
        assert_eq!(pace(13, FEW - 1).delay(Duration::ZERO), COLD_DELAY);
        assert_eq!(pace(900, FEW).delay(Duration::ZERO), COLD_DELAY);
        let few = pace(13, FEW).delay(Duration::ZERO);
        assert!(few > Duration::from_millis(19) && few < Duration::from_millis(20), "{few:?}");
        let warm = pace(13, ENOUGH).delay(Duration::ZERO);
        assert!(warm > Duration::from_micros(14_900) && warm < Duration::from_micros(15_200), "{warm:?}");
        assert!(pace(160, ENOUGH).delay(Duration::ZERO) > Duration::from_millis(178));
        assert!(pace(1, ENOUGH).delay(Duration::ZERO) >= LEAST_MARGIN);
    }

    #[test]
    fn what_another_worker_told_counts_until_enough_is_known() {
        let mut pace = Pace::default();
        pace.told(Duration::from_millis(40));
        assert_eq!((pace.delay(Duration::ZERO).as_millis(), pace.body()), (45, None));
        (0..ENOUGH).for_each(|_| pace.answered(Duration::from_millis(10)));
        assert!(pace.delay(Duration::ZERO) < Duration::from_millis(13));
    }

    #[test]
    fn hedges_that_lose_make_it_wait_and_one_that_wins_forgives_a_dozen() {
        let mut pace = pace(13, ENOUGH);
        let usual = pace.delay(Duration::ZERO);
        (0..12).for_each(|_| pace.hedged(false));
        assert!(pace.delay(Duration::ZERO) > usual.mul_f32(1.3));
        pace.hedged(true);
        assert!(pace.delay(Duration::ZERO) < usual.mul_f32(1.01));
        (0..1_000).for_each(|_| pace.hedged(false));
        assert!(pace.delay(Duration::ZERO) < usual.mul_f32(MOST_CAUTION + 0.1));
        (0..20_000).for_each(|_| pace.answered(Duration::from_millis(13)));
        assert!(pace.delay(Duration::ZERO) < usual.mul_f32(1.1), "forgotten in time");
    }

    #[test]
    fn the_more_uneven_a_function_is_the_sooner_after_its_body_a_request_is_late() {
        let margin = |slow: u64| {
            let mut pace = Pace::default();
            (0..100).for_each(|n| pace.answered(Duration::from_millis(if n % 4 == 0 { slow } else { 10 })));
            pace.delay(Duration::ZERO).saturating_sub(pace.usual(BODY).unwrap())
        };
        let margins = [10, 12, 14, 30].map(|slow| margin(slow).as_micros());
        assert!(margins.is_sorted_by(|one, next| one > next), "{margins:?}");
        assert_eq!((margins[0], margins[3]), (2_000, 0));
    }

    #[test]
    fn hedges_that_an_uneven_function_loses_as_a_rule_make_it_wait_less() {
        let mut pace = Pace::default();
        (0..100).for_each(|n| pace.answered(Duration::from_millis(if n % 4 == 0 { 30 } else { 10 })));
        let usual = pace.delay(Duration::ZERO);
        (0..12).for_each(|_| pace.hedged(false));
        assert!(pace.delay(Duration::ZERO) > usual && pace.delay(Duration::ZERO) < usual.mul_f32(1.1));
    }

    #[test]
    fn a_function_with_stragglers_is_often_late_and_one_whose_replica_froze_is_not() {
        let mut frozen = pace(10, 1_000);
        (0..7).for_each(|_| frozen.was_late());
        assert!(!frozen.is_often_late());
        let mut straggling = pace(10, ENOUGH);
        for n in 0..1_000 {
            straggling.answered(Duration::from_millis(10));
            if n % 20 == 0 {
                straggling.was_late();
            }
        }
        assert!(straggling.is_often_late());
        (0..1_000).for_each(|_| straggling.answered(Duration::from_millis(10)));
        assert!(!straggling.is_often_late(), "forgotten in time");
    }

    #[test]
    fn a_function_may_spend_its_whole_budget_on_its_tail() {
        let mut pace = Pace::default();
        (1..=100).for_each(|latency| pace.answered(Duration::from_millis(latency)));
        let delay = |percent| pace.eager_delay(percent, Duration::ZERO).as_millis();
        assert!((90..=92).contains(&delay(10)), "{}", delay(10));
        assert!((52..=54).contains(&delay(100)), "never before the median and its margin: {}", delay(100));
    }

    #[test]
    fn a_steady_functions_hedge_never_starts_within_its_body_however_early_timers_are() {
        let early = Duration::from_millis(8);
        let steady = pace(10, ENOUGH);
        assert_eq!(steady.delay(early).as_millis(), 19);
        assert_eq!(pace(200, ENOUGH).delay(early), pace(200, ENOUGH).delay(Duration::ZERO), "far off anyway");
        let mut uneven = Pace::default();
        (0..100).for_each(|n| uneven.answered(Duration::from_millis(if n % 4 == 0 { 30 } else { 10 })));
        assert_eq!(uneven.delay(early), uneven.delay(Duration::ZERO));
    }
}
