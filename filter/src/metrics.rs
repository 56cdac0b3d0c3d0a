//! Metrics: one set per function, defined when the function is first seen, never per replica, revision or path. Names
//! carry their tags as Istio's do: `function=.=fib;.;steadfaas_requests`.

use std::cell::RefCell;

use steadfaas_core::time::{Millis, millis};
use steadfaas_core::view::View;
use steadfaas_host::{Count, Gauge};

/// What is counted of one function in this worker.
pub(crate) struct FunctionMetrics {
    function: String,
    requests: Count,
    extra_attempts: Count,
    failovers: Count,
    suspected: Count,
    passed_through: RefCell<Vec<(&'static str, Count)>>,
    replicas: Gauge,
    replicas_well: Gauge,
    active_mask: Gauge,
    suspect_mask: Gauge,
    view_age: Gauge,
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
            replicas: Gauge::default(),
            replicas_well: Gauge::default(),
            active_mask: Gauge::default(),
            suspect_mask: Gauge::default(),
            view_age: Gauge::default(),
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
            count.hand_over(|| name(&self.function, metric));
        }
        for (reason, count) in self.passed_through.borrow().iter() {
            count.hand_over(|| {
                format!("function=.={};.;reason=.={reason};.;steadfaas_passed_through", self.function)
            });
        }
    }

    /// Shows who is there, who is well and who is active. Bit i of a mask is the i-th replica in order of its address.
    pub(crate) fn show(&self, view: &View) {
        self.set(&self.replicas, "replicas", view.own().count() as u64);
        self.set(&self.replicas_well, "replicas_well", view.well() as u64);
        self.set(&self.active_mask, "active_mask", view.mask(|replica| replica.active));
        self.set(&self.suspect_mask, "suspect_mask", view.mask(|replica| replica.suspicion.is_some()));
    }

    /// Shows how old the view had become when it was asked for again.
    pub(crate) fn show_age(&self, last_success: Millis, now: Millis) {
        self.set(&self.view_age, "view_age_ms", millis(now.since(last_success)));
    }

    fn set(&self, gauge: &Gauge, metric: &str, value: u64) {
        gauge.set(value, || name(&self.function, metric));
    }
}

fn name(function: &str, metric: &str) -> String {
    format!("function=.={function};.;steadfaas_{metric}")
}
