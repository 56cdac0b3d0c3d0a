//! What came of a run.

use serde::Serialize;

use crate::record::Seen;

/// One run's numbers, with what was run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The proxy.
    pub proxy: String,
    /// The fault, or `none`.
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
    /// Processor time of the proxy, all of it, per request of the load.
    pub cpu_us_per_request: f64,
}

impl Report {
    /// Requests written to a replica beyond one for each request of the load.
    #[must_use]
    pub fn extra_attempts(&self) -> i64 {
        let requests = i64::try_from(self.seen.requests).unwrap_or(i64::MAX);
        i64::try_from(self.attempts).unwrap_or(i64::MAX) - requests
    }
}
