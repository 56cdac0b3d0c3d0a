//! How far a load has come.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::record::Got;

/// How many refusals are kept: most of one fault say the same.
const REFUSALS: usize = 3;

/// An answer that isn't what the client wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Which request got it.
    pub request: usize,
    /// Its status, what the filter says of it where it was told to, and how its body begins.
    pub said: String,
}

/// What has been sent and what has come back so far, to be looked at while a load runs.
#[derive(Debug, Default)]
pub struct Progress {
    sent: AtomicUsize,
    good: AtomicUsize,
    failed: AtomicUsize,
    refusals: Mutex<Vec<Refusal>>,
}

impl Progress {
    /// Requests sent so far.
    #[must_use]
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// Good answers so far.
    #[must_use]
    pub fn good(&self) -> usize {
        self.good.load(Ordering::Relaxed)
    }

    /// Failed requests so far.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.failed.load(Ordering::Relaxed)
    }

    /// The first refusals so far.
    #[must_use]
    pub fn refusals(&self) -> Vec<Refusal> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn keep(&self, refusal: Refusal) {
        let mut kept = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < REFUSALS {
            kept.push(refusal);
        }
    }

    pub(super) fn count_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count(&self, got: Got) {
        let counter = if got.is_good() { &self.good } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
