//! Faults that a benchmark sets while the function runs, in words such as `slow=200ms&share=0.05`.

use std::time::Duration;

use thiserror::Error;

/// How the function misbehaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// How much longer than usual a run takes.
    pub slow: Duration,
    /// The share of runs that are hit, 0 to 1.
    pub share: f64,
}

impl Default for Fault {
    /// None.
    fn default() -> Self {
        Self { slow: Duration::ZERO, share: 1.0 }
    }
}

/// Why the words for a fault aren't understood.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FaultError {
    /// A word that isn't `key=value`, or a key that isn't known.
    #[error("unknown fault {0:?}: slow=<duration> and share=<0..1> are known, joined by &")]
    Unknown(String),
    /// A value that doesn't fit its key.
    #[error("fault {key} is {value:?} but must be {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// What was written.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
}

impl Fault {
    /// The fault that `words` describe; empty words end every fault.
    ///
    /// # Errors
    /// A word isn't known, or its value doesn't fit.
    pub fn parse(words: &str) -> Result<Self, FaultError> {
        let mut fault = Self::default();
        for word in words.trim().split('&').filter(|word| !word.is_empty()) {
            match word.split_once('=') {
                Some(("slow", value)) => fault.slow = parse_slow(value)?,
                Some(("share", value)) => fault.share = parse_share(value)?,
                _ => return Err(FaultError::Unknown(word.to_owned())),
            }
        }
        Ok(fault)
    }

    /// What this fault adds to a run for which `drawn` (0 to 1) was drawn.
    #[must_use]
    pub fn delay(&self, drawn: f64) -> Duration {
        if drawn < self.share { self.slow } else { Duration::ZERO }
    }
}

fn parse_slow(value: &str) -> Result<Duration, FaultError> {
    let wrong =
        || FaultError::Value { key: "slow", value: value.to_owned(), expected: "a time such as 200ms" };
    parse_span(value).map_err(|_| wrong())
}

fn parse_share(value: &str) -> Result<f64, FaultError> {
    let wrong =
        || FaultError::Value { key: "share", value: value.to_owned(), expected: "a number from 0 to 1" };
    value.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(wrong)
}

/// A time as it is written on the command line: a whole number of `us`, `ms` or `s`.
///
/// # Errors
/// It is something else.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let units = [("us", 1), ("ms", 1_000), ("s", 1_000_000)];
    let in_unit = |(unit, factor): (&str, u64)| {
        let number = text.strip_suffix(unit)?.parse::<u64>().ok()?;
        number.checked_mul(factor).map(Duration::from_micros)
    };
    units.into_iter().find_map(in_unit).ok_or_else(|| format!("{text:?} is no time such as 10ms or 2s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_describe_a_fault_and_none_ends_it() {
        let fault = Fault::parse("slow=200ms&share=0.05").unwrap();
        assert_eq!(fault, Fault { slow: Duration::from_millis(200), share: 0.05 });
        assert_eq!(Fault::parse(""), Ok(Fault::default()));
    }

    #[test]
    fn only_the_share_that_is_hit_is_slow() {
        let fault = Fault::parse("slow=1s&share=0.25").unwrap();
        assert_eq!(fault.delay(0.24), Duration::from_secs(1));
        assert_eq!(fault.delay(0.25), Duration::ZERO);
    }

    #[test]
    fn wrong_words_say_what_would_be_right() {
        let message = |words| Fault::parse(words).unwrap_err().to_string();
        assert!(message("slow=fast").ends_with("must be a time such as 200ms"));
        assert!(message("share=2").ends_with("must be a number from 0 to 1"));
        assert!(message("hang").starts_with("unknown fault \"hang\""));
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(parse_span("10ms"), Ok(Duration::from_millis(10)));
        assert_eq!(parse_span("500us"), Ok(Duration::from_micros(500)));
        assert!(parse_span("10").is_err());
    }
}
