//! Does OpenFaaS' gateway send to a function past the mesh?

use super::Finding;
use crate::controller::status::About;
use crate::facts::{Facts, Subject};
use crate::function::{BY_GATEWAY, ROUTE};

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    facts.subjects.iter().filter_map(|subject| refused(subject).or_else(|| past_the_mesh(subject))).collect()
}

/// It asks for a route, and the controller says why there is none.
fn refused(subject: &Subject) -> Option<Finding> {
    let complaint = subject.complaints().into_iter().find(|complaint| complaint.about == About::Routed)?;
    let finding = Finding::warning("openfaas-route", subject.in_words());
    Some(finding.says(complaint.message, subject.kubectl("edit")))
}

/// It asks for none.
fn past_the_mesh(subject: &Subject) -> Option<Finding> {
    let gateway = subject.openfaas.as_ref()?;
    if subject.policy().is_err() || subject.function.annotations.contains_key(ROUTE) {
        return None;
    }
    let says = format!(
        "its calls through OpenFaaS' gateway {} go to pods past the mesh, where nothing protects them",
        gateway.in_words()
    );
    let mend = format!("{} {ROUTE}={BY_GATEWAY}", subject.kubectl("annotate"));
    Some(Finding::warning("openfaas-route", subject.in_words()).says(says, mend))
}
