//! What came of a run.

use std::time::Duration;

use serde::Serialize;

use crate::record::{Outcome, Seen};

/// One run's numbers, with what was run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The proxy.
    pub proxy: String,
    /// The fault's name, or `none`.
    pub fault: String,
    /// Requests a second.
    pub rate: f64,
    /// How long the load lasted.
    pub seconds: f64,
    /// How requests arrived.
    pub arrivals: &'static str,
    /// What the arrivals were drawn from.
    pub seed: u64,
    /// Number of replicas.
    pub replicas: u8,
    /// Number of the proxy's workers.
    pub workers: u32,
    /// What the clients saw.
    #[serde(flatten)]
    pub seen: Seen,
    /// Requests that were written to a replica, health checks apart, counted by the replicas as they read them: that
    /// is the same for every proxy. A frozen replica reads, once thawed, what was written to it meanwhile. A refused
    /// connection is no attempt, nor is a request on its way to a lost node.
    pub attempts: u64,
    /// Runs that the replicas began.
    pub executions: u64,
    /// Runs that ended when nobody waited for their answer any more.
    pub late_runs: u64,
    /// Requests without an answer when the fault struck.
    pub in_flight: usize,
    /// Of the extra attempts, those before the fault struck.
    pub extra_before: i64,
    /// Where the fault ended during the load: how long after that all was well again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub well_after_ms: Option<f64>,
    /// What the machine did for others during the load: 0.5 is half a core. Above 0.1 latencies say little.
    pub other_load: f64,
    /// Processor time of the proxy, all of it, per request of the load.
    pub cpu_us_per_request: f64,
    /// When the fault struck.
    #[serde(skip)]
    pub moment: Duration,
    /// What each request got.
    #[serde(skip)]
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// Requests written to a replica beyond one for each request of the load.
    #[must_use]
    pub fn extra_attempts(&self) -> i64 {
        let requests = i64::try_from(self.seen.requests).unwrap_or(i64::MAX);
        i64::try_from(self.attempts).unwrap_or(i64::MAX) - requests
    }
}
