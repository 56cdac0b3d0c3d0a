//! The load: when requests come, and how long the function takes for one.

use serde::Serialize;

use crate::chance::Chance;

/// Simulated time, in microseconds since the run's beginning or as a span.
pub type Time = u64;

/// A millisecond.
pub const MS: Time = 1_000;

/// A second.
pub const SECOND: Time = 1_000 * MS;

/// Milliseconds as [`Time`].
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "spans are positive and short")]
pub fn millis(ms: f64) -> Time {
    (ms * 1_000.0).round().max(0.0) as Time
}

/// [`Time`] as milliseconds.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "exact for centuries")]
pub fn in_millis(time: Time) -> f64 {
    time as f64 / 1_000.0
}

/// How long the function takes for a request. All times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Service {
    /// Always the same.
    Constant(f64),
    /// Lognormal: the median, and the deviation of the logarithm.
    Lognormal(f64, f64),
    /// Two kinds of work that look alike: the first time, the second, and the share of the second.
    Bimodal(f64, f64, f64),
    /// A heavy tail (Pareto): the shortest time, and the exponent.
    HeavyTail(f64, f64),
}

impl Service {
    /// The time for one request.
    pub fn draw(self, chance: &mut Chance) -> Time {
        /// No function runs longer than this: whoever runs it ends it.
        const LONGEST: f64 = 60_000.0;
        millis(
            match self {
                Self::Constant(time) => time,
                Self::Lognormal(median, sigma) => median * (sigma * chance.normal()).exp(),
                Self::Bimodal(one, other, share) => {
                    if chance.is(share) {
                        other
                    } else {
                        one
                    }
                }
                Self::HeavyTail(least, exponent) => least * (chance.exponential() / exponent).exp(),
            }
            .min(LONGEST),
        )
    }
}

/// When requests come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Arrivals {
    /// Evenly.
    Constant,
    /// Independently of each other.
    Poisson,
    /// All of 50 ms at once.
    Burst,
}

impl Arrivals {
    /// When request number `number` comes, after one that came at `before`.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    #[must_use]
    pub fn next(self, number: u64, before: Time, rate: f64, chance: &mut Chance) -> Time {
        const BURST_PERIOD: f64 = 0.05;
        let second = SECOND as f64;
        match self {
            Self::Constant => (number as f64 / rate * second) as Time,
            Self::Poisson => before + (chance.exponential() / rate * second) as Time,
            Self::Burst => {
                let size = (rate * BURST_PERIOD).max(1.0);
                ((number as f64 / size).floor() * size / rate * second) as Time
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(service: Service) -> Vec<f64> {
        let mut chance = Chance::of(7);
        let mut times: Vec<f64> = (0..10_000).map(|_| in_millis(service.draw(&mut chance))).collect();
        times.sort_unstable_by(f64::total_cmp);
        times
    }

    #[test]
    fn service_times_have_the_median_and_the_tail_that_they_are_named_for() {
        let lognormal = sorted(Service::Lognormal(10.0, 0.5));
        assert!((lognormal[5_000] - 10.0).abs() < 0.3, "{}", lognormal[5_000]);
        assert!((lognormal[9_900] - 32.0).abs() < 3.0, "{}", lognormal[9_900]);
        let heavy = sorted(Service::HeavyTail(10.0, 2.0));
        assert!((heavy[9_900] - 100.0).abs() < 15.0, "{}", heavy[9_900]);
        let bimodal = sorted(Service::Bimodal(10.0, 80.0, 0.2));
        assert_eq!((bimodal[7_000], bimodal[9_000]), (10.0, 80.0));
    }

    #[test]
    fn all_arrivals_have_the_same_rate() {
        for arrivals in [Arrivals::Constant, Arrivals::Poisson, Arrivals::Burst] {
            let (mut chance, mut last) = (Chance::of(3), 0);
            for number in 1..=20_000 {
                last = arrivals.next(number, last, 200.0, &mut chance);
            }
            assert!(last.abs_diff(100 * SECOND) < 3 * SECOND, "{arrivals:?} {last}");
        }
    }
}
