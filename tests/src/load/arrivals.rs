//! When requests are due.

use std::str::FromStr;
use std::time::Duration;

use fib::random::SplitMix64;

/// How requests are spread over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    /// Request i at i / rate.
    Constant,
    /// As from very many clients that don't know of each other: exponential times between requests.
    Poisson,
    /// Every [`BURST_PERIOD`] all requests of that period at once.
    Burst,
}

/// Twenty bursts a second: at 200 requests a second ten come at once, more than a replica of 10 ms usually holds.
pub const BURST_PERIOD: Duration = Duration::from_millis(50);

impl Arrivals {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 3] =
        [("constant", Self::Constant), ("poisson", Self::Poisson), ("burst", Self::Burst)];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, arrivals)| *arrivals == self).map_or("", |(name, _)| name)
    }

    /// When each of `count` requests is due, from the start of the load, never earlier than the one before it.
    #[must_use]
    pub fn offsets(self, rate: f64, count: usize, seed: u64) -> Vec<Duration> {
        let even = (0_u32..).take(count).map(|index| f64::from(index) / rate);
        match self {
            Self::Constant => even.map(Duration::from_secs_f64).collect(),
            Self::Burst => {
                let period = BURST_PERIOD.as_secs_f64();
                // The small term keeps a request that is due at the start of a period from falling into the one before.
                even.map(|at| Duration::from_secs_f64(((at + 1e-9) / period).floor() * period)).collect()
            }
            Self::Poisson => {
                let mut random = SplitMix64::new(seed);
                let mut at = 0.0;
                let mut next = || {
                    at -= (1.0 - random.fraction()).ln() / rate;
                    Duration::from_secs_f64(at)
                };
                (0..count).map(|_| next()).collect()
            }
        }
    }
}

impl FromStr for Arrivals {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, arrivals)| *arrivals);
        found.ok_or_else(|| format!("arrivals are constant, poisson or burst, not {word:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_arrivals_are_evenly_spread() {
        let offsets = Arrivals::Constant.offsets(200.0, 401, 0);
        assert_eq!(offsets[1], Duration::from_millis(5));
        assert_eq!(offsets[400], Duration::from_secs(2));
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_the_spread_they_should() {
        let offsets = Arrivals::Poisson.offsets(200.0, 20_000, 7);
        let gaps: Vec<f64> = offsets.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / 19_999.0;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / 19_999.0;
        assert!((mean - 0.005).abs() < 0.0002, "mean {mean}");
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.05, "an exponential's deviation is its mean");
    }

    #[test]
    fn a_seed_gives_the_same_arrivals_again() {
        let draw = |seed| Arrivals::Poisson.offsets(50.0, 100, seed);
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
    }

    #[test]
    fn bursts_hold_all_requests_of_their_period() {
        let offsets = Arrivals::Burst.offsets(200.0, 40, 0);
        let sizes: Vec<usize> = offsets.chunk_by(|one, next| one == next).map(<[Duration]>::len).collect();
        assert_eq!(sizes, [10, 10, 10, 10]);
        assert_eq!(offsets[10], BURST_PERIOD);
    }
}
