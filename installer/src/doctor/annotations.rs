//! Are the annotations right?

use steadfaas_core::policy::PolicyError;

use super::Finding;
use crate::facts::{Facts, Subject};

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    let wrong = facts.subjects.iter().filter_map(|subject| Some((subject, subject.policy().err()?)));
    let finding = |(subject, error): (&Subject, PolicyError)| {
        let says = format!("{error}; its last good policy stays, or it has none");
        Finding::problem("annotations", subject.in_words()).says(says, subject.kubectl("edit"))
    };
    wrong.map(finding).collect()
}
