//! `steadfaas drill`: a safe rehearsal. One replica is deleted while others are well, and what clients got meanwhile is
//! reported.

mod calls;
mod choice;
mod rehearsal;

use std::time::Duration;

use serde::Serialize;

pub use calls::{Calls, Heard};
pub use choice::{Refusal, choose};
pub use rehearsal::{DrillError, Plan, run};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The pod that was deleted.
    pub pod: String,
    /// How it was before: active, standby.
    pub was: String,
    /// After how many milliseconds Kubernetes had a ready replica less.
    pub noticed_ms: Option<u64>,
    /// After how many milliseconds as many replicas were ready as before; none: not in time.
    pub restored_ms: Option<u64>,
    /// What the proxies counted meanwhile.
    pub counted: Counted,
    /// What became of the drill's own requests, if it made any.
    pub heard: Option<Heard>,
}

/// What the proxies counted while a replica was away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    /// Requests that got a plan.
    pub requests: u64,
    /// Attempts beyond the first.
    pub extra_attempts: u64,
    /// Answers that came from another replica than the first.
    pub failovers: u64,
    /// Answers with a status of 500 and above, where the mesh counts answers.
    pub failed: Option<u64>,
}

impl Outcome {
    /// No request is known to have failed, and redundancy is back.
    #[must_use]
    pub fn is_well(&self) -> bool {
        let heard = self.heard.as_ref().is_none_or(|heard| heard.failed == 0);
        heard && self.counted.failed.unwrap_or(0) == 0 && self.restored_ms.is_some()
    }

    /// As people read it.
    #[must_use]
    pub fn in_words(&self) -> String {
        let after = |time: Option<u64>| match time {
            Some(time) => format!("after {:.1} s", Duration::from_millis(time).as_secs_f64()),
            None => "never, while it was watched".to_owned(),
        };
        format!(
            "deleted {} ({})\nKubernetes noticed {}, as many replicas were ready as before {}\n{}{}",
            self.pod,
            self.was,
            after(self.noticed_ms),
            after(self.restored_ms),
            self.counted.in_words(),
            self.heard.as_ref().map_or_else(String::new, Heard::in_words),
        )
    }
}

impl Counted {
    fn in_words(&self) -> String {
        let Self { requests, extra_attempts, failovers, failed } = self;
        if *requests == 0 {
            return "the proxies saw no request for it meanwhile: repeat this under load, or with --call URL\n".to_owned();
        }
        let failed = match failed {
            Some(failed) => format!("{failed} answers of 500 and above"),
            None => "this mesh doesn't count answers by status".to_owned(),
        };
        format!(
            "the proxies saw {requests} requests: {extra_attempts} extra attempts, {failovers} answered by another replica; {failed}\n"
        )
    }
}
