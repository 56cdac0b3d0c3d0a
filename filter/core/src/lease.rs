//! The lease by which one worker of a proxy asks for a function's replicas.

use std::time::Duration;

use crate::time::Millis;

/// How old the view gets while all is quiet. A replica that is new can wait a second; one that is gone costs nothing,
/// for an address that the cluster doesn't know is skipped.
pub const QUIET: Duration = Duration::from_secs(1);

/// How old it gets while some replica is suspected, out or not known at all.
pub const UNEASY: Duration = Duration::from_millis(100);

/// After an answer that took long nobody asks for this many times as long: asking for ten thousand functions takes
/// a fiftieth of a processor at most.
const PAUSE_FOR: u32 = 50;

/// How long to wait with the next question after one that took so long to ask and to take in.
#[must_use]
pub fn pause(took: Duration, is_uneasy: bool) -> Duration {
    let usual = if is_uneasy { UNEASY } else { QUIET };
    usual.max(took.saturating_mul(PAUSE_FOR))
}

/// The lease on asking for one function's replicas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lease {
    /// Until when nobody else asks.
    pub until: Millis,
    /// When somebody last got an answer; zero if nobody ever has.
    pub last_success: Millis,
}

impl Lease {
    /// The lease taken for `span`, if it is free.
    #[must_use]
    pub fn take(self, now: Millis, span: Duration) -> Option<Self> {
        (self.until <= now).then(|| Self { until: now.after(span), ..self })
    }

    /// The lease after an answer: nobody asks again for `span`.
    #[must_use]
    pub fn renewed(now: Millis, span: Duration) -> Self {
        Self { until: now.after(span), last_success: now }
    }

    /// The lease after a question that wasn't answered: nobody asks again for `span`.
    #[must_use]
    pub fn put_off(self, now: Millis, span: Duration) -> Self {
        Self { until: now.after(span), ..self }
    }

    /// The lease given up: something has changed, and whoever comes next asks again.
    #[must_use]
    pub fn given_up(self, now: Millis) -> Self {
        Self { until: self.until.min(now), ..self }
    }

    /// The lease as bytes for the workers' shared data.
    #[must_use]
    pub fn encode(self) -> [u8; 16] {
        (u128::from(self.until.0) << 64 | u128::from(self.last_success.0)).to_be_bytes()
    }

    /// Reads what [`Lease::encode`] wrote; anything else is a free lease.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        let Ok(bytes) = <[u8; 16]>::try_from(bytes) else { return Self::default() };
        let both = u128::from_be_bytes(bytes);
        let low = |number: u128| Millis(u64::try_from(number & u128::from(u64::MAX)).unwrap_or_default());
        Self { until: low(both >> 64), last_success: low(both) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_millis(100);

    #[test]
    fn a_lease_is_taken_once_until_it_ends() {
        let taken = Lease::default().take(Millis(1_000), SPAN).unwrap();
        assert_eq!(taken.take(Millis(1_099), SPAN), None);
        assert!(taken.take(Millis(1_100), SPAN).is_some());
    }

    #[test]
    fn taking_it_keeps_the_last_success() {
        let taken = Lease::renewed(Millis(5), SPAN).take(Millis(200), SPAN).unwrap();
        assert_eq!(taken.last_success, Millis(5));
    }

    #[test]
    fn one_that_is_given_up_is_free_at_once() {
        let lease = Lease::renewed(Millis(1_000), SPAN);
        assert!(lease.take(Millis(1_050), SPAN).is_none());
        let taken = lease.given_up(Millis(1_050)).take(Millis(1_050), SPAN).unwrap();
        assert_eq!(taken.last_success, Millis(1_000));
    }

    #[test]
    fn one_that_brought_no_answer_keeps_the_last_success() {
        let lease = Lease::renewed(Millis(5), SPAN).put_off(Millis(1_000), SPAN);
        assert_eq!((lease.until, lease.last_success), (Millis(1_100), Millis(5)));
    }

    #[test]
    fn what_took_long_is_done_the_more_rarely() {
        let millis = Duration::from_millis;
        assert_eq!((pause(millis(1), false), pause(millis(1), true)), (QUIET, UNEASY));
        assert_eq!((pause(millis(400), false), pause(millis(400), true)), (millis(20_000), millis(20_000)));
    }

    #[test]
    fn it_comes_back_from_bytes() {
        let lease = Lease { until: Millis(u64::MAX - 1), last_success: Millis(7) };
        assert_eq!(Lease::decode(&lease.encode()), lease);
        assert_eq!(Lease::decode(b"nonsense"), Lease::default());
    }
}
