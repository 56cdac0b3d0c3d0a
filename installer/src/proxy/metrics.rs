//! What the filter counts, out of a proxy's `/stats`.
//!
//! Names are read as Envoy keeps them, tags and all, so that it makes no difference whether the proxy is told to make
//! labels of the tags.

use std::collections::BTreeMap;

/// How all of the filter's metrics begin within Envoy.
const PREFIX: &str = "wasmcustom.";

/// How the filter's tags begin, and how each of them ends.
const FUNCTION: &str = "function=.=";
const REASON: &str = "reason=.=";
const END: &str = ";.;";

/// What a proxy counted of one function since it started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Requests that got a plan.
    pub requests: u64,
    /// Attempts beyond the first.
    pub extra_attempts: u64,
    /// Answers that came from another replica than the first.
    pub failovers: u64,
    /// Replicas set aside.
    pub suspected: u64,
    /// Replicas known now.
    pub replicas: u64,
    /// Replicas well now.
    pub well: u64,
    /// Which are active: bit i is the i-th replica in order of its address.
    pub active_mask: u64,
    /// Which are set aside, likewise.
    pub suspect_mask: u64,
    /// Requests that went on as if the filter weren't there, by reason.
    pub passed_through: BTreeMap<String, u64>,
}

impl Metrics {
    fn set(&mut self, metric: &str, reason: Option<&str>, value: u64) {
        let field = match metric {
            "steadfaas_requests" => &mut self.requests,
            "steadfaas_extra_attempts" => &mut self.extra_attempts,
            "steadfaas_failovers" => &mut self.failovers,
            "steadfaas_suspected" => &mut self.suspected,
            "steadfaas_replicas" => &mut self.replicas,
            "steadfaas_replicas_well" => &mut self.well,
            "steadfaas_active_mask" => &mut self.active_mask,
            "steadfaas_suspect_mask" => &mut self.suspect_mask,
            "steadfaas_passed_through" => {
                self.passed_through.entry(reason.unwrap_or_default().to_owned()).or_default()
            }
            _ => return,
        };
        *field = value;
    }

    /// Counts of both; of what is known of replicas now, the other's.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.extra_attempts += other.extra_attempts;
        self.failovers += other.failovers;
        self.suspected += other.suspected;
        for (reason, count) in &other.passed_through {
            *self.passed_through.entry(reason.clone()).or_default() += count;
        }
    }

    /// What was counted since `before`. A proxy that was started anew in between counts from zero.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let passed_through = self.passed_through.iter().map(|(reason, count)| {
            (reason.clone(), count.saturating_sub(before.passed_through.get(reason).copied().unwrap_or(0)))
        });
        Self {
            requests: self.requests.saturating_sub(before.requests),
            extra_attempts: self.extra_attempts.saturating_sub(before.extra_attempts),
            failovers: self.failovers.saturating_sub(before.failovers),
            suspected: self.suspected.saturating_sub(before.suspected),
            passed_through: passed_through.collect(),
            ..self.clone()
        }
    }
}

/// Metrics by function, out of the text of `/stats`.
#[must_use]
pub fn read_metrics(stats: &str) -> BTreeMap<String, Metrics> {
    let mut functions: BTreeMap<String, Metrics> = BTreeMap::new();
    for (function, reason, metric, value) in stats.lines().filter_map(read_line) {
        functions.entry(function.to_owned()).or_default().set(metric, reason, value);
    }
    functions
}

/// Function, reason, name and value.
fn read_line(line: &str) -> Option<(&str, Option<&str>, &str, u64)> {
    let (name, value) = line.strip_prefix(PREFIX)?.rsplit_once(": ")?;
    let (function, rest) = name.strip_prefix(FUNCTION)?.split_once(END)?;
    let (reason, metric) = match rest.strip_prefix(REASON).and_then(|rest| rest.split_once(END)) {
        Some((reason, metric)) => (Some(reason), metric),
        None => (None, rest),
    };
    Some((function, reason, metric, value.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Envoy 1.40 said.
    const STATS: &str = "wasm.envoy.wasm.runtime.v8.active: 3
wasmcustom.function=.=default/fib;.;reason=.=no_view;.;steadfaas_passed_through: 1
wasmcustom.function=.=default/fib;.;steadfaas_active_mask: 1
wasmcustom.function=.=default/fib;.;steadfaas_replicas: 2
wasmcustom.function=.=default/fib;.;steadfaas_replicas_well: 2
wasmcustom.function=.=default/fib;.;steadfaas_requests: 5
wasmcustom.function=.=default/fib;.;steadfaas_suspect_mask: 0
wasmcustom.function=.=default/fib;.;steadfaas_view_age_ms: 1095
wasmcustom.steadfaas_view_changes: 1
";

    #[test]
    fn metrics_are_read_by_function_with_their_reasons() {
        let functions = read_metrics(STATS);
        let expected = Metrics {
            requests: 5,
            replicas: 2,
            well: 2,
            active_mask: 1,
            passed_through: BTreeMap::from([("no_view".to_owned(), 1)]),
            ..Metrics::default()
        };
        assert_eq!(functions, BTreeMap::from([("default/fib".to_owned(), expected)]));
    }

    #[test]
    fn what_happened_in_between_is_the_difference_of_counts_and_the_latest_state() {
        let before = Metrics { requests: 5, well: 2, ..Metrics::default() };
        let after = Metrics { requests: 9, extra_attempts: 1, well: 1, ..Metrics::default() };
        let between = after.since(&before);
        assert_eq!((between.requests, between.extra_attempts, between.well), (4, 1, 1));
        let restarted = Metrics { requests: 2, ..Metrics::default() };
        assert_eq!(restarted.since(&before).requests, 0);
    }
}
