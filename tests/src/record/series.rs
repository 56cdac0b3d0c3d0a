//! A load second by second.

use serde::Serialize;

use super::numbers::Latencies;
use super::{Outcome, failed};

/// The requests that were due within one second of a load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Second {
    /// How many of them got what they wanted.
    pub completed: usize,
    /// How many didn't.
    pub failed: usize,
    /// Their median in milliseconds; a failed one counts as 10 s.
    pub p50: f64,
    /// Their 99th percentile, likewise.
    pub p99: f64,
}

/// Every second in which requests were due, from the first; `outcomes` are in the order in which they were due.
pub(super) fn per_second(outcomes: &[Outcome]) -> Vec<Second> {
    let mut seconds = Vec::new();
    for due in outcomes.chunk_by(|one, next| one.due.as_secs() == next.due.as_secs()) {
        let (latencies, failed) = (Latencies::of(due.iter()), failed(due));
        let completed = due.len() - failed;
        seconds.push(Second { completed, failed, p50: latencies.p50_ms, p99: latencies.p99_ms });
    }
    seconds
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::Got;

    #[test]
    fn each_second_has_the_requests_that_were_due_in_it() {
        let at = |index: u32| {
            let got = if index == 250 { Got::Timeout } else { Got::Answer(200) };
            let (due, latency) = (Duration::from_millis(10) * index, Duration::from_millis(990));
            Outcome { index: index as usize, due, latency, got, aside: false }
        };
        let outcomes: Vec<Outcome> = (0..300).map(at).collect();
        let counts: Vec<_> =
            per_second(&outcomes).iter().map(|second| (second.completed, second.failed)).collect();
        assert_eq!(counts, [(100, 0), (100, 0), (99, 1)]);
    }
}
