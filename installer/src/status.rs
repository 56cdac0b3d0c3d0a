//! `steadfaas status`: how protected functions are, as the proxies see it.

mod replicas;
mod words;

use serde::Serialize;

use crate::controller::status::About;
use crate::doctor::{self, Finding, Severity};
use crate::facts::{Facts, Subject};
use crate::proxy::{FilterState, Metrics, Role};
pub use replicas::{Replica, State};
pub use words::{extra_attempts, replicas_in_words};

/// One function.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// `namespace/name`.
    pub function: String,
    /// What carries its annotations, as kubectl takes it.
    pub object: String,
    /// Who runs it.
    pub platform: String,
    /// Its strategy; none where its annotations are wrong.
    pub strategy: Option<String>,
    /// K.
    pub tolerate: Option<usize>,
    /// How many replicas could fail now and leave one.
    pub spare: usize,
    /// Its replicas.
    pub replicas: Vec<Replica>,
    /// The proxies that have its policy.
    pub proxies: Proxies,
    /// What they counted since they started.
    pub counted: Counted,
    /// What is wrong, in words; the worst first.
    pub problems: Vec<String>,
}

/// How many proxies have a function's policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proxies {
    /// So many gateways do.
    pub gateways: usize,
    /// Of so many.
    pub gateways_asked: usize,
    /// So many sidecars do; a sidecar may be kept from knowing the function.
    pub sidecars: usize,
    /// Of so many.
    pub sidecars_asked: usize,
}

/// What proxies counted of a function since they started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    /// Requests that got a plan.
    pub requests: u64,
    /// Attempts beyond the first.
    pub extra_attempts: u64,
    /// How many extra attempts a hundred requests may cost; none where each is run on every copy.
    pub budget_percent: Option<u8>,
    /// Answers that came from another replica than the first.
    pub failovers: u64,
}

/// A row for each function, by name.
#[must_use]
pub fn rows(facts: &Facts) -> Vec<Row> {
    let findings = doctor::examine(facts);
    facts.subjects.iter().map(|subject| row(facts, subject, &findings)).collect()
}

fn row(facts: &Facts, subject: &Subject, findings: &[Finding]) -> Row {
    let policy = subject.policy().ok();
    let replicas = replicas::of(facts, subject);
    let well = replicas.iter().filter(|replica| replica.state.is_well()).count();
    Row {
        function: subject.function.id(),
        object: subject.function.kubectl_name(),
        platform: subject.function.platform.to_string(),
        strategy: policy.as_ref().map(|policy| policy.strategy.as_str().to_owned()),
        tolerate: subject.tolerate(),
        spare: well.saturating_sub(1),
        proxies: proxies(facts, subject),
        counted: counted(facts, subject),
        problems: problems(facts, subject, findings, well),
        replicas,
    }
}

fn proxies(facts: &Facts, subject: &Subject) -> Proxies {
    let mut proxies = Proxies::default();
    for asked in &facts.proxies {
        let has = asked.report.as_ref().is_ok_and(|report| {
            report.filter == FilterState::Loaded
                && report.clusters.iter().any(|cluster| subject.has_cluster(cluster))
        });
        let (having, all) = match asked.proxy.role {
            Role::Gateway => (&mut proxies.gateways, &mut proxies.gateways_asked),
            Role::Sidecar => (&mut proxies.sidecars, &mut proxies.sidecars_asked),
        };
        *having += usize::from(has);
        *all += 1;
    }
    proxies
}

fn counted(facts: &Facts, subject: &Subject) -> Counted {
    let mut sum = Metrics::default();
    let id = subject.function.id();
    let reports = facts.proxies.iter().filter_map(|asked| asked.report.as_ref().ok());
    reports.filter_map(|report| report.metrics.get(&id)).for_each(|metrics| sum.add(metrics));
    Counted {
        requests: sum.requests,
        extra_attempts: sum.extra_attempts,
        budget_percent: words::budget(subject),
        failovers: sum.failovers,
    }
}

/// What the controller says first, for it knows since when; then what is seen now and what doctor finds, as far as that
/// isn't the same once more.
fn problems(facts: &Facts, subject: &Subject, findings: &[Finding], well: usize) -> Vec<String> {
    let complaints = subject.complaints();
    let said = |about| complaints.iter().any(|complaint| complaint.about == about);
    let lost = subject.tolerate().and_then(|tolerate| words::redundancy(well, tolerate));
    let lost = lost.filter(|_| !said(About::Redundant));
    let in_other_words = ["one-node", "post-only", "too-few-replicas"];
    let worth_saying = |finding: &&Finding| {
        let again = (finding.check == "activator" && said(About::Direct))
            || (finding.check == "annotations" && said(About::Valid))
            || (finding.check == "openfaas-route" && said(About::Routed));
        finding.object == subject.in_words()
            && finding.severity != Severity::Note
            && !in_other_words.contains(&finding.check)
            && !again
    };
    let found = findings.iter().filter(worth_saying).map(|finding| finding.says.clone());
    let all = complaints.iter().map(words::complaint).chain(lost);
    let all = all.chain(doctor::nodes::in_words(subject)).chain(doctor::repeat::in_words(facts, subject));
    all.chain(found).collect()
}

#[cfg(test)]
mod tests;
