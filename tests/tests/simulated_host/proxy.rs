//! The simulated proxy: what its workers share, and what a test can see and set.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::worker::Worker;

/// When the proxy's clock starts: any moment that isn't the epoch.
const START_MS: u64 = 1_700_000_000_000;

/// A proxy. Its workers share data, metrics, the clock and the log.
#[derive(Clone)]
pub(crate) struct Proxy(pub(crate) Rc<RefCell<Shared>>);

/// What the workers of a proxy share.
pub(crate) struct Shared {
    pub(crate) now_ms: u64,
    /// Shared data, each value with its compare-and-swap number.
    pub(crate) data: BTreeMap<String, (Vec<u8>, u32)>,
    pub(crate) last_cas: u32,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) log: Vec<String>,
    /// Imported functions that were called.
    pub(crate) called: BTreeSet<String>,
    /// Called, but not known here: answered with "unimplemented".
    pub(crate) unknown: BTreeSet<String>,
    /// A function that refuses with a status.
    pub(crate) refusal: Option<(String, u32)>,
    pub(crate) last_token: u32,
}

/// A metric, by its place known to all workers.
pub(crate) struct Metric {
    pub(crate) is_counter: bool,
    pub(crate) name: String,
    pub(crate) value: u64,
}

impl Proxy {
    pub(crate) fn new() -> Self {
        Self(Rc::new(RefCell::new(Shared {
            now_ms: START_MS,
            data: BTreeMap::new(),
            last_cas: 0,
            metrics: Vec::new(),
            log: Vec::new(),
            called: BTreeSet::new(),
            unknown: BTreeSet::new(),
            refusal: None,
            last_token: 0,
        })))
    }

    /// A worker that runs the module with its default configuration.
    pub(crate) fn worker(&self) -> Worker {
        let worker = self.unconfigured_worker();
        assert!(worker.configure(""), "{:?}", self.log());
        worker
    }

    /// A worker that has started the module and not yet configured it.
    pub(crate) fn unconfigured_worker(&self) -> Worker {
        Worker::start(self)
    }

    /// The time by the proxy's clock.
    pub(crate) fn now_ms(&self) -> u64 {
        self.0.borrow().now_ms
    }

    /// Lets time go by.
    pub(crate) fn advance(&self, millis: u64) {
        self.0.borrow_mut().now_ms += millis;
    }

    /// From now on the imported `function` refuses whatever is asked of it.
    pub(crate) fn refuse(&self, function: &str, status: u32) {
        self.0.borrow_mut().refusal = Some((function.to_owned(), status));
    }

    /// The imported functions that the module has called so far.
    pub(crate) fn called(&self) -> BTreeSet<String> {
        self.0.borrow().called.clone()
    }

    /// Those of them that the simulated host doesn't have.
    pub(crate) fn unknown(&self) -> BTreeSet<String> {
        self.0.borrow().unknown.clone()
    }

    /// What was logged so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.0.borrow().log.clone()
    }

    /// The names of all metrics.
    pub(crate) fn metrics(&self) -> BTreeSet<String> {
        self.0.borrow().metrics.iter().map(|metric| metric.name.clone()).collect()
    }

    /// The value of a metric of the function `fib`, if it was ever defined.
    pub(crate) fn fib_metric(&self, name: &str) -> Option<u64> {
        self.metric(&format!("function=.=fib;.;steadfaas_{name}"))
    }

    /// How many requests to `fib` passed through for this reason.
    pub(crate) fn passed_through(&self, reason: &str) -> Option<u64> {
        self.metric(&format!("function=.=fib;.;reason=.={reason};.;steadfaas_passed_through"))
    }

    fn metric(&self, name: &str) -> Option<u64> {
        let shared = self.0.borrow();
        shared.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value)
    }
}
