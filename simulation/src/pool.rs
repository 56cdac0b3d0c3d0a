//! Connections that a worker keeps open to a replica.

use crate::load::Time;
use crate::router::IDLE_TIMEOUT;

/// The idle connections to one replica, by when they were last used.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool(Vec<Time>);

impl Pool {
    /// Takes the one that was used last, if one is still open.
    pub(crate) fn take(&mut self, now: Time) -> bool {
        match self.0.pop() {
            Some(used) if now.saturating_sub(used) < IDLE_TIMEOUT => true,
            _ => {
                self.0.clear();
                false
            }
        }
    }

    /// One is free again.
    pub(crate) fn put(&mut self, now: Time) {
        self.0.push(now);
    }

    /// The replica has closed them all.
    pub(crate) fn close(&mut self) {
        self.0.clear();
    }
}
