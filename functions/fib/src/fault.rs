//! Faults that a benchmark sets while the function runs, in words such as `slow=200ms&share=0.05`.

use std::time::Duration;

use serving::parse_span;
use thiserror::Error;

/// How the function misbehaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// How much longer than usual a run takes.
    pub slow: Duration,
    /// What is answered instead of the number.
    pub answer: Option<Bad>,
    /// The share of runs that are hit, 0 to 1.
    pub share: f64,
    /// Whether `/healthz` is hit too.
    pub probes: bool,
}

impl Default for Fault {
    /// None.
    fn default() -> Self {
        Self { slow: Duration::ZERO, answer: None, share: 1.0, probes: false }
    }
}

/// An answer that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// Status 503.
    Unavailable,
    /// The connection is closed in the answer's place (in HTTP/2: the stream is reset).
    Reset,
}

/// What a fault does to one run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hit {
    /// How much longer it takes.
    pub delay: Duration,
    /// What is answered instead.
    pub answer: Option<Bad>,
}

/// Why the words for a fault aren't understood.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FaultError {
    /// A word that isn't `key=value`, or a key that isn't known.
    #[error(
        "unknown fault {0:?}: slow=<duration>, answer=503|reset, share=<0..1> and probes are known, joined by &"
    )]
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
                Some(("answer", value)) => fault.answer = Some(parse_answer(value)?),
                Some(("share", value)) => fault.share = parse_share(value)?,
                None if word == "probes" => fault.probes = true,
                _ => return Err(FaultError::Unknown(word.to_owned())),
            }
        }
        Ok(fault)
    }

    /// What this fault does to a run for which `drawn` (0 to 1) was drawn.
    #[must_use]
    pub fn hit(&self, drawn: f64) -> Hit {
        if drawn < self.share { Hit { delay: self.slow, answer: self.answer } } else { Hit::default() }
    }
}

fn parse_slow(value: &str) -> Result<Duration, FaultError> {
    let wrong =
        || FaultError::Value { key: "slow", value: value.to_owned(), expected: "a time such as 200ms" };
    parse_span(value).map_err(|_| wrong())
}

fn parse_answer(value: &str) -> Result<Bad, FaultError> {
    match value {
        "503" => Ok(Bad::Unavailable),
        "reset" => Ok(Bad::Reset),
        _ => Err(FaultError::Value { key: "answer", value: value.to_owned(), expected: "503 or reset" }),
    }
}

fn parse_share(value: &str) -> Result<f64, FaultError> {
    let wrong =
        || FaultError::Value { key: "share", value: value.to_owned(), expected: "a number from 0 to 1" };
    value.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_describe_a_fault_and_none_ends_it() {
        let fault = Fault::parse("slow=200ms&share=0.05").unwrap();
        assert_eq!(fault, Fault { slow: Duration::from_millis(200), share: 0.05, ..Fault::default() });
        let fault = Fault::parse("answer=503&probes").unwrap();
        assert_eq!(fault, Fault { answer: Some(Bad::Unavailable), probes: true, ..Fault::default() });
        assert_eq!(Fault::parse(""), Ok(Fault::default()));
    }

    #[test]
    fn only_its_share_is_hit() {
        let fault = Fault::parse("slow=1s&answer=reset&share=0.25").unwrap();
        assert_eq!(fault.hit(0.24), Hit { delay: Duration::from_secs(1), answer: Some(Bad::Reset) });
        assert_eq!(fault.hit(0.25), Hit::default());
    }

    #[test]
    fn wrong_words_say_what_would_be_right() {
        let message = |words| Fault::parse(words).unwrap_err().to_string();
        assert!(message("slow=fast").ends_with("must be a time such as 200ms"));
        assert!(message("share=2").ends_with("must be a number from 0 to 1"));
        assert!(message("answer=404").ends_with("must be 503 or reset"));
        assert!(message("hang").starts_with("unknown fault \"hang\""));
    }
}
