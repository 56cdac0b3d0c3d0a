//! Metrics: counted here and handed to the proxy at ticks, for a host call per request and counter would cost more than
//! the count is worth. Each is defined when it first has a value.

use std::cell::Cell;

use crate::abi::{self, MetricKind};

/// A count since it was last handed over, and the proxy's counter that it goes to.
#[derive(Debug, Default)]
pub struct Count {
    waiting: Cell<u64>,
    metric: Cell<Option<u32>>,
}

impl Count {
    /// Counts.
    pub fn add(&self, amount: u64) {
        self.waiting.set(self.waiting.get().saturating_add(amount));
    }

    /// Hands the count over. `name`: the counter's.
    pub fn hand_over(&self, name: impl FnOnce() -> String) {
        let amount = self.waiting.take();
        if amount == 0 {
            return;
        }
        if let Some(metric) = defined(&self.metric, MetricKind::Counter, name) {
            crate::add_to_counter(metric, amount);
        }
    }
}

/// A gauge of the proxy's.
#[derive(Debug, Default)]
pub struct Gauge(Cell<Option<u32>>);

impl Gauge {
    /// Sets it. `name`: the gauge's.
    pub fn set(&self, value: u64, name: impl FnOnce() -> String) {
        if let Some(metric) = defined(&self.0, MetricKind::Gauge, name) {
            abi::record_metric(metric, value);
        }
    }
}

fn defined(metric: &Cell<Option<u32>>, kind: MetricKind, name: impl FnOnce() -> String) -> Option<u32> {
    if metric.get().is_none() {
        metric.set(abi::define_metric(kind, &name()));
    }
    metric.get()
}
