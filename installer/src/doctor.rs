//! `steadfaas doctor`: what breaks protection in practice, each finding with the command that mends it.
//!
//! Each file beside this one holds a family of checks: functions from [`Facts`] to findings that ask nobody.

mod annotations;
mod budget;
mod filters;
mod finding;
mod gateways;
mod istio;
pub(crate) mod nodes;
mod openfaas;
mod proxies;
pub(crate) mod repeat;
mod replicas;
mod routes;
mod service;

use crate::facts::Facts;
pub use finding::{Finding, Severity};

/// A family of checks.
type Check = fn(&Facts) -> Vec<Finding>;

/// All of them, in the order in which they are worth mending.
const CHECKS: [Check; 12] = [
    istio::check,
    gateways::check,
    proxies::check,
    filters::check,
    replicas::check,
    nodes::check,
    service::check,
    routes::check,
    openfaas::check,
    repeat::check,
    budget::check,
    annotations::check,
];

/// What is wrong, worst first.
#[must_use]
pub fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(facts)).collect();
    findings.sort_by_key(|finding| finding.severity);
    findings
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
