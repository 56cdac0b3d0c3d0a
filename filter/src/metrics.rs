//! Metrics: one set per function, defined when the function is first seen, never per replica, revision or path.
//!
//! Counts are kept here and handed to the proxy at each tick: a host call per request and counter would cost more
//! than the count is worth. Names carry their tags as Istio's do: `function=.=fib;.;steadfaas_requests`.

use std::cell::{Cell, RefCell};

use steadfaas_core::time::{Millis, millis};
use steadfaas_core::view::View;
use steadfaas_host::{self as host, MetricKind};

/// A count since the last tick, and the counter that it goes to.
#[derive(Default)]
struct Count {
    since_tick: Cell<u64>,
    metric: Cell<Option<u32>>,
}

impl Count {
    fn add(&self, amount: u64) {
        self.since_tick.set(self.since_tick.get().saturating_add(amount));
    }

    fn flush(&self, name: impl Fn() -> String) {
        let amount = self.since_tick.take();
        if amount == 0 {
            return;
        }
        if self.metric.get().is_none() {
            self.metric.set(host::define_metric(MetricKind::Counter, &name()));
        }
        if let Some(metric) = self.metric.get() {
            host::add_to_counter(metric, amount);
        }
    }
}

/// What is counted of one function in this worker.
pub(crate) struct FunctionMetrics {
    function: String,
    requests: Count,
    extra_attempts: Count,
    failovers: Count,
    suspected: Count,
    passed_through: RefCell<Vec<(&'static str, Count)>>,
    gauges: RefCell<Vec<(&'static str, u32)>>,
}

impl FunctionMetrics {
    pub(crate) fn new(function: &str) -> Self {
        Self {
            function: function.to_owned(),
            requests: Count::default(),
            extra_attempts: Count::default(),
            failovers: Count::default(),
            suspected: Count::default(),
            passed_through: RefCell::default(),
            gauges: RefCell::default(),
        }
    }

    /// These are the metrics of `function`.
    pub(crate) fn is_of(&self, function: &str) -> bool {
        self.function == function
    }

    /// A request got a plan.
    pub(crate) fn request(&self) {
        self.requests.add(1);
    }

    /// Envoy made this many attempts beyond the first.
    pub(crate) fn extra_attempts(&self, amount: u64) {
        self.extra_attempts.add(amount);
    }

    /// An answer came from another replica than the first.
    pub(crate) fn failover(&self) {
        self.failovers.add(1);
    }

    /// This many replicas were set aside.
    pub(crate) fn suspected(&self, amount: u64) {
        self.suspected.add(amount);
    }

    /// A request went on as if the filter were not there.
    pub(crate) fn passed_through(&self, reason: &'static str) {
        let mut counts = self.passed_through.borrow_mut();
        if !counts.iter().any(|(known, _)| *known == reason) {
            counts.push((reason, Count::default()));
        }
        if let Some((_, count)) = counts.iter().find(|(known, _)| *known == reason) {
            count.add(1);
        }
    }

    /// Hands the counts to the proxy.
    pub(crate) fn flush(&self) {
        let counts = [
            ("requests", &self.requests),
            ("extra_attempts", &self.extra_attempts),
            ("failovers", &self.failovers),
            ("suspected", &self.suspected),
        ];
        for (metric, count) in counts {
            count.flush(|| name(&self.function, metric));
        }
        for (reason, count) in self.passed_through.borrow().iter() {
            count.flush(|| {
                format!("function=.={};.;reason=.={reason};.;steadfaas_passed_through", self.function)
            });
        }
    }

    /// Shows who is there, who is well and who is active. Bit i of a mask is the i-th replica in order of its address.
    pub(crate) fn show(&self, view: &View) {
        self.gauge("replicas", view.own().count() as u64);
        self.gauge("replicas_well", view.well() as u64);
        self.gauge("active_mask", view.mask(|replica| replica.active));
        self.gauge("suspect_mask", view.mask(|replica| replica.suspicion.is_some()));
    }

    /// Shows how old the view had become when it was asked for again.
    pub(crate) fn show_age(&self, last_success: Millis, now: Millis) {
        self.gauge("view_age_ms", millis(now.since(last_success)));
    }

    fn gauge(&self, gauge: &'static str, value: u64) {
        let mut gauges = self.gauges.borrow_mut();
        let metric =
            gauges.iter().find(|(known, _)| *known == gauge).map(|(_, metric)| *metric).or_else(|| {
                let metric = host::define_metric(MetricKind::Gauge, &name(&self.function, gauge))?;
                gauges.push((gauge, metric));
                Some(metric)
            });
        if let Some(metric) = metric {
            host::set_gauge(metric, value);
        }
    }
}

fn name(function: &str, metric: &str) -> String {
    format!("function=.={function};.;steadfaas_{metric}")
}
