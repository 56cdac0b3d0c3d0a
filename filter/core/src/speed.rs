//! How fast a function answers: the quantiles of its latest latencies.

use std::time::Duration;

use crate::time::micros;

/// How many latencies are remembered. Old ones fade as new ones come: within a second at 128 requests a second, within
/// a minute at two. The 90th percentile of that many moves to a new speed after 13 answers, and is still the body's
/// while 5 % of all requests straggle: 13 or more stragglers in 128 are one chance in a hundred.
pub const WINDOW: usize = 128;

/// The latest latencies of one kind of request.
#[derive(Debug, Clone, Default)]
pub struct Speed {
    latest: Vec<Code>,
    sorted: Vec<Code>,
    next: usize,
}

/// A latency as the upper half of a 32 bit float of its microseconds: two bytes, in order like the latencies
/// themselves, and precise to 0.8 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Code(u16);

impl Code {
    fn of(latency: Duration) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "two significant digits are wanted")]
        let micros = micros(latency).min(u64::from(u32::MAX)) as f32;
        Self((micros.to_bits() >> 16) as u16)
    }

    fn latency(self) -> Duration {
        /// Half of what the lower bits can hold: a code stands for the middle of its latencies.
        const MIDDLE: u32 = 0x8000;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "made from a u32")]
        let micros = f32::from_bits(u32::from(self.0) << 16 | MIDDLE) as u64;
        Duration::from_micros(micros)
    }
}

impl Speed {
    /// Takes in one latency; the oldest is forgotten.
    pub fn add(&mut self, latency: Duration) {
        let code = Code::of(latency);
        let place = self.sorted.partition_point(|known| *known < code);
        match self.latest.get_mut(self.next) {
            Some(oldest) => {
                let gone = self.sorted.partition_point(|known| known < oldest);
                *oldest = code;
                self.replace(gone, place, code);
            }
            None => {
                self.latest.push(code);
                self.sorted.insert(place, code);
            }
        }
        self.next = (self.next + 1) % WINDOW;
    }

    /// Puts `code` before what is at `place`, and takes out what is at `gone`: what lies between moves over by one.
    fn replace(&mut self, gone: usize, place: usize, code: Code) {
        let free = if gone < place {
            self.sorted.copy_within(gone + 1..place, gone);
            place - 1
        } else {
            self.sorted.copy_within(place..gone, place + 1);
            place
        };
        if let Some(free) = self.sorted.get_mut(free) {
            *free = code;
        }
    }

    /// How many latencies are known, up to [`WINDOW`].
    #[must_use]
    pub fn known(&self) -> usize {
        self.latest.len()
    }

    /// The latency that `percent` of the latest requests didn't exceed; nothing before the first.
    #[must_use]
    pub fn quantile(&self, percent: usize) -> Option<Duration> {
        let last = self.sorted.len().checked_sub(1)?;
        self.sorted.get((self.sorted.len() * percent / 100).min(last)).map(|code| code.latency())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn speed(millis: impl IntoIterator<Item = u64>) -> Speed {
        let mut speed = Speed::default();
        millis.into_iter().for_each(|latency| speed.add(Duration::from_millis(latency)));
        speed
    }

    #[test]
    fn nothing_is_known_before_the_first_answer() {
        assert_eq!(Speed::default().quantile(90), None);
    }

    #[test]
    fn a_function_that_got_slower_is_followed_within_a_tenth_of_the_window() {
        let before = speed(vec![13; WINDOW]);
        assert!(before.quantile(90).unwrap() < Duration::from_millis(14));
        let after = speed([vec![13; WINDOW], vec![163; 13]].concat());
        assert!(after.quantile(90).unwrap() > Duration::from_millis(160));
        assert!(after.quantile(50).unwrap() < Duration::from_millis(14));
    }

    #[test]
    fn five_stragglers_in_a_hundred_do_not_move_the_body() {
        let speed = speed((0..1_000).map(|request| if request % 20 == 7 { 213 } else { 13 }));
        assert!(speed.quantile(90).unwrap() < Duration::from_millis(14));
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_latest_within_a_hundredth(latencies in prop::collection::vec(1_u64..60_000, 1..400)) {
            let speed = speed(latencies.iter().copied());
            let mut latest: Vec<u64> = latencies.iter().rev().take(WINDOW).copied().collect();
            latest.sort_unstable();
            prop_assert_eq!(speed.known(), latest.len());
            for percent in [0, 50, 90, 100] {
                let exact = latest[(latest.len() * percent / 100).min(latest.len() - 1)] as f64;
                let told = speed.quantile(percent).unwrap().as_secs_f64() * 1_000.0;
                prop_assert!((told - exact).abs() <= exact / 100.0, "{} {} {}", percent, told, exact);
            }
        }
    }
}
