//! The plan: the answer of a strategy for one request. Envoy executes it.

mod headers;

use std::time::Duration;

/// How one request is to be tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Places (in the view) of the replicas to try, in order. Empty: Envoy's own balancing picks, for no replica is
    /// known to be better than another.
    pub order: Vec<usize>,
    /// The next replica starts when this much time has gone by without an answer, and the first good answer wins;
    /// `None`: it starts only when the one before has failed.
    pub hedge_after: Option<Duration>,
    /// Most extra attempts, where it differs from the `num_retries` that stands in config.
    pub max_retries: Option<u32>,
    /// The request may run twice: failures after it was sent are tried again too.
    pub may_repeat: bool,
    /// The first replica is a suspect or long unheard of, and the answer decides about it.
    pub is_check: bool,
}

impl Plan {
    /// The replica that gets the first attempt.
    #[must_use]
    pub fn first(&self) -> Option<usize> {
        self.order.first().copied()
    }

    /// Fills the list up to `attempts` places by naming its last replica again: past its end Envoy would pick any
    /// replica, suspects among them.
    pub(crate) fn fill(&mut self, attempts: usize) {
        if let Some(last) = self.order.last().copied() {
            while self.order.len() < attempts {
                self.order.push(last);
            }
        }
    }
}
