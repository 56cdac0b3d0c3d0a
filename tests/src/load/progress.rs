//! How far a load has come.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::record::Got;

/// What has been sent and what has come back so far, to be looked at while a load runs.
#[derive(Debug, Default)]
pub struct Progress {
    sent: AtomicUsize,
    good: AtomicUsize,
    failed: AtomicUsize,
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

    pub(super) fn count_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count(&self, got: Got) {
        let counter = if got.is_good() { &self.good } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
