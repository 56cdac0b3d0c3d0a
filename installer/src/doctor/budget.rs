//! Was the budget used up lately?

use steadfaas_core::budget::LEAST_BURST;
use steadfaas_core::policy::Strategy;

use super::Finding;
use crate::facts::{Asked, Facts, Subject};
use crate::proxy::Metrics;

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    let of = |subject| facts.proxies.iter().filter_map(move |asked| spent(subject, asked));
    facts.subjects.iter().flat_map(of).collect()
}

/// A proxy's workers each have a bucket; whether one is empty isn't told. But what flows out of all of them can only
/// keep above what flows in until they are.
fn spent(subject: &Subject, asked: &Asked) -> Option<Finding> {
    let policy = subject.policy().ok().filter(|policy| policy.strategy != Strategy::RequestReplication)?;
    let metrics = asked.report.as_ref().ok()?.metrics.get(&policy.function)?;
    let lately = metrics.since(asked.before.get(&policy.function)?);
    let (says, mend) = if is_over(&lately, policy.budget) {
        let Metrics { requests, extra_attempts, .. } = lately;
        (format!("just now {requests} requests cost {extra_attempts} extra attempts"), "steadfaas status")
    } else if is_over(metrics, policy.budget) {
        let Metrics { requests, extra_attempts, .. } = metrics;
        (
            format!("since the proxy started {requests} requests cost {extra_attempts} extra attempts"),
            "steadfaas status",
        )
    } else {
        return None;
    };
    let says = format!(
        "{}: {says}, which is the budget of {} % and the burst: late requests beyond it wait for the replica they have",
        asked.proxy.in_words(),
        policy.budget
    );
    let mend = format!(
        "{mend} {} -n {}, to see which replicas are late, or a larger steadfaas.dev/budget",
        subject.function.name, subject.function.namespace
    );
    Some(Finding::warning("budget-exhausted", subject.in_words()).says(says, mend))
}

/// Fewer extra attempts in the time between the two questions say nothing: the burst is there for them.
fn is_over(metrics: &Metrics, percent: u8) -> bool {
    metrics.extra_attempts >= LEAST_BURST + metrics.requests * u64::from(percent) / 100
}
