//! What was felt of a fault, by clients, by the proxy and by Kubernetes, and what all of them used meanwhile.

use std::time::{Duration, Instant};

use serde::Serialize;
use steadfaas_tests::load::Refusal;
use steadfaas_tests::record::{Outcome, Seen, WELL};

use crate::cluster::usage::Usage;
use crate::cluster::watch::Sightings;

/// What was felt of it.
#[derive(Debug, Serialize)]
pub struct Felt {
    /// What the clients' requests got.
    #[serde(flatten)]
    pub seen: Seen,
    /// What the first refused ones were told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// When the first request failed or took longer than [`WELL`], in seconds after the fault.
    pub clients_noticed_s: Option<f64>,
    /// What the proxy's Envoy took the replicas for.
    pub envoy: Moments,
    /// What Kubernetes took them for.
    pub kubernetes: Moments,
    /// What nodes, proxies and pods used, second by second as `series`; empty where the nodes aren't ours.
    pub usage: Vec<Usage>,
    /// For how long at most the machine didn't let this process run.
    #[serde(skip)]
    pub paused: Duration,
    /// What each request got.
    #[serde(skip)]
    pub outcomes: Vec<Outcome>,
}

impl Felt {
    /// What the first refused requests were told, and when, of a fault at `fault`: a line each.
    #[must_use]
    pub(super) fn told(&self, fault: Duration) -> String {
        let lines = self.refusals.iter().filter_map(|refusal| {
            let outcome = self.outcomes.iter().find(|outcome| outcome.index == refusal.request)?;
            let (due, took) = (outcome.due.as_secs_f64() - fault.as_secs_f64(), outcome.latency);
            Some(format!(
                "\n  request {}, due {due:+.2} s from the fault, after {took:.1?}: {}",
                refusal.request, refusal.said
            ))
        });
        lines.collect()
    }
}

/// When somebody knew, in seconds after the fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Moments {
    /// When it had a well replica less.
    pub noticed_s: Option<f64>,
    /// When it had all of them again: the function is redundant.
    pub restored_s: Option<f64>,
}

impl Moments {
    /// What was seen of a fault that struck `count` replicas at `struck`.
    #[must_use]
    pub fn of(sightings: &Sightings, count: usize, struck: Instant) -> Self {
        let since = |moment: Option<Instant>| Some(seconds(moment?.saturating_duration_since(struck)));
        Self {
            noticed_s: since(sightings.fewer_than(count, struck)),
            restored_s: since(sightings.restored(count, struck)),
        }
    }
}

/// When clients noticed a fault at `fault`: a request failed, or had no answer after [`WELL`].
#[must_use]
pub(super) fn noticed_by_clients(outcomes: &[Outcome], fault: Duration) -> Option<f64> {
    let known = |outcome: &Outcome| {
        if outcome.latency > WELL {
            Some(outcome.due + WELL)
        } else {
            (!outcome.got.is_good()).then(|| outcome.ended())
        }
    };
    let first = outcomes.iter().filter_map(known).filter(|known| *known >= fault).min();
    first.map(|first| seconds(first.saturating_sub(fault)))
}

/// Hundredths are more than most of these moments are known to.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use steadfaas_tests::record::Got;

    use super::*;

    fn outcome(due_ms: u64, latency_ms: u64, got: Got) -> Outcome {
        let [due, latency] = [due_ms, latency_ms].map(Duration::from_millis);
        Outcome { index: 0, due, latency, got, aside: false }
    }

    #[test]
    fn clients_notice_a_late_answer_before_it_comes_and_a_failure_when_it_comes() {
        let fault = Duration::from_secs(4);
        let before = outcome(1_000, 500, Got::Answer(503));
        let late = outcome(4_100, 3_000, Got::Answer(200));
        let failed = outcome(4_050, 20, Got::Answer(503));
        assert_eq!(noticed_by_clients(&[before, late], fault), Some(0.2));
        assert_eq!(noticed_by_clients(&[before, late, failed], fault), Some(0.07));
        assert_eq!(noticed_by_clients(&[before], fault), None);
    }
}
