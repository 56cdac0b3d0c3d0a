//! `steadfaas doctor`: what breaks protection in practice, each finding with the command that mends it.
//!
//! [`facts`] are what was found in the cluster and in its proxies; each file beside it holds one family of checks, which
//! are functions from facts to findings and ask nobody.

mod budget;
mod facts;
mod filters;
mod finding;
mod gateways;
pub mod gather;
mod istio;
mod nodes;
mod proxies;
mod repeat;
mod replicas;
mod routes;
mod service;

pub use facts::{Asked, Facts, Istiod, Object, Platform, PodFact, Subject};
pub use finding::{Finding, Severity};
pub use istio::IstioVersion;

/// A family of checks.
type Check = fn(&Facts) -> Vec<Finding>;

/// All of them, in the order in which they are worth mending.
const CHECKS: [Check; 11] = [
    istio::check,
    gateways::check,
    proxies::check,
    filters::check,
    replicas::check,
    nodes::check,
    service::check,
    routes::check,
    repeat::check,
    budget::check,
    facts::check,
];

/// What is wrong, worst first.
#[must_use]
pub fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(facts)).collect();
    findings.sort_by_key(|finding| finding.severity);
    findings
}
