//! How long one run takes besides computing: always the same, or lognormal, as functions that do I/O are.

use std::f64::consts::TAU;
use std::time::Duration;

use crate::random::SplitMix64;

/// The times of a function's runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServiceTime {
    /// The time in the middle: half of the runs take longer.
    pub median: Duration,
    /// The standard deviation of the time's logarithm; 0: all runs take the same.
    pub spread: f64,
    /// What the times are drawn from.
    pub seed: u64,
}

impl Default for ServiceTime {
    /// None.
    fn default() -> Self {
        Self { median: Duration::ZERO, spread: 0.0, seed: 1 }
    }
}

impl ServiceTime {
    /// The time for attempt `attempt` of the request `id`. Whichever replica it reaches, through whichever proxy, it
    /// takes as long: proxies can be compared by the same draw. Another attempt is another draw.
    #[must_use]
    pub fn of(&self, id: &str, attempt: &str) -> Duration {
        if self.spread == 0.0 {
            return self.median;
        }
        let mut random = SplitMix64::new(hash(self.seed, &[id, attempt]));
        // Box and Muller: a normal number of two even ones.
        let (one, two) = (1.0 - random.fraction(), random.fraction());
        let normal = (-2.0 * one.ln()).sqrt() * (TAU * two).cos();
        self.median.mul_f64((self.spread * normal).exp())
    }
}

/// FNV-1a, which is the same everywhere and always.
fn hash(seed: u64, words: &[&str]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
    let start = seed.to_le_bytes().into_iter().chain(bytes);
    start.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGNORMAL: ServiceTime = ServiceTime { median: Duration::from_millis(10), spread: 0.5, seed: 1 };

    #[test]
    fn without_a_spread_every_run_takes_the_median() {
        let constant = ServiceTime { spread: 0.0, ..LOGNORMAL };
        assert_eq!(constant.of("a", "1"), Duration::from_millis(10));
        assert_eq!(constant.of("b", "2"), Duration::from_millis(10));
    }

    #[test]
    fn the_times_are_lognormal() {
        let time = |number: u32| LOGNORMAL.of(&format!("request-{number}"), "1").as_secs_f64() * 1_000.0;
        let mut times: Vec<f64> = (0..12_000).map(time).collect();
        times.sort_by(f64::total_cmp);
        // exp(0.5 x 2.326) is 3.2.
        assert!((times[6_000] - 10.0).abs() < 0.3, "median {}", times[6_000]);
        assert!((times[11_880] - 32.0).abs() < 2.0, "p99 {}", times[11_880]);
    }

    #[test]
    fn a_request_takes_as_long_again_and_another_attempt_something_else() {
        assert_eq!(LOGNORMAL.of("a", "1"), LOGNORMAL.of("a", "1"));
        for other in [
            LOGNORMAL.of("a", "2"),
            LOGNORMAL.of("b", "1"),
            ServiceTime { seed: 2, ..LOGNORMAL }.of("a", "1"),
        ] {
            assert_ne!(other, LOGNORMAL.of("a", "1"));
        }
    }
}
