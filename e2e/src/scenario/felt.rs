//! What was felt of a fault, by clients and by Kubernetes.

use std::fmt;
use std::time::Duration;

use steadfaas_tests::record::Seen;

/// What was felt of it.
#[derive(Debug)]
pub struct Felt {
    /// What the clients' requests got.
    pub seen: Seen,
    /// How long after the fault Kubernetes had one ready replica less.
    pub noticed: Option<Duration>,
    /// How long after the fault it had all of them again.
    pub restored: Option<Duration>,
}

impl fmt::Display for Felt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = |time: Option<Duration>| {
            time.map_or("never".to_owned(), |time| format!("{:.2} s", time.as_secs_f64()))
        };
        let Seen { failed, requests, gap_ms, after: late, .. } = &self.seen;
        write!(
            f,
            "failed {failed} of {requests}, longest gap {gap_ms:.0} ms, p99 {:.0} ms, slowest {:.0} ms; \
             Kubernetes noticed after {}, redundant again after {}",
            late.p99_ms,
            late.max_ms,
            after(self.noticed),
            after(self.restored),
        )
    }
}
