//! Are the annotations right, and has the controller read them?

use super::Finding;
use crate::controller::status::About;
use crate::facts::{Facts, Subject};

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    facts.subjects.iter().filter_map(|subject| wrong(subject).or_else(|| unread(facts, subject))).collect()
}

/// What they mean by themselves, or what the controller says of them: it knows the administrator's limits.
fn wrong(subject: &Subject) -> Option<Finding> {
    let invalid = |about: About| subject.complaints().into_iter().find(|complaint| complaint.about == about);
    let own = subject.policy().err().map(|error| error.to_string());
    let error = own.or_else(|| invalid(About::Valid).map(|complaint| complaint.message))?;
    let says = format!("{error}; its last good policy stays, or it has none");
    Some(Finding::problem("annotations", subject.in_words()).says(says, subject.kubectl("edit")))
}

/// The controller writes what it did on each function.
fn unread(facts: &Facts, subject: &Subject) -> Option<Finding> {
    if !facts.has_envoy_filters || subject.status().is_some() {
        return None;
    }
    let says = "the controller hasn't said anything about it: it isn't installed, or doesn't run";
    Some(Finding::problem("no-controller", subject.in_words()).says(says, "steadfaas install"))
}
