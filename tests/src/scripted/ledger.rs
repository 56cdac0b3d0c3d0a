//! What a scripted replica has executed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hyper::{HeaderMap, Method, Uri};

/// One execution: a request that arrived whole.
#[derive(Debug, Clone)]
pub struct Execution {
    /// When it began.
    pub at: Instant,
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub uri: Uri,
    /// Its headers as they arrived.
    pub headers: HeaderMap,
    /// Bytes of its body.
    pub body_length: usize,
}

impl Execution {
    /// Its `x-request-id`; empty if it had none.
    #[must_use]
    pub fn id(&self) -> &str {
        self.header("x-request-id")
    }

    /// A header's value; empty if it is missing or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Everything a scripted replica has executed, in order.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Vec<Execution>>);

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Vec<Execution>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self, execution: Execution) {
        self.lock().push(execution);
    }

    /// All of it.
    #[must_use]
    pub fn executions(&self) -> Vec<Execution> {
        self.lock().clone()
    }

    /// How many executions there were.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Adds how often each request id was executed to `times`.
    pub fn count_by_id(&self, times: &mut BTreeMap<String, u32>) {
        for execution in self.lock().iter() {
            *times.entry(execution.id().to_owned()).or_default() += 1;
        }
    }

    /// Forgets all of it.
    pub fn clear(&self) {
        self.lock().clear();
    }
}
