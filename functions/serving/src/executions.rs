//! How often a function has run: the test bed asks each replica, to find the one that gets the requests.

use std::sync::atomic::{AtomicU64, Ordering};

use hyper::StatusCode;
use serde::Serialize;

use crate::{Answer, json};

/// Runs of this process so far.
#[derive(Debug, Default)]
pub struct Executions(AtomicU64);

/// The part of `fib`'s counts that every function has.
#[derive(Serialize)]
struct Report {
    executions: u64,
}

impl Executions {
    /// None yet.
    #[must_use]
    pub const fn none() -> Self {
        Self(AtomicU64::new(0))
    }

    /// A run begins.
    pub fn begun(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// What `/stats` answers.
    #[must_use]
    pub fn report(&self) -> Answer {
        json(StatusCode::OK, &Report { executions: self.0.load(Ordering::Relaxed) })
    }
}
