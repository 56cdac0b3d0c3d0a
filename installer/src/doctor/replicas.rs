//! Are there enough replicas, and do requests reach them?

use super::Finding;
use crate::facts::{Facts, Subject};
use crate::function::Platform;

/// Knative's annotations for the fewest replicas, on the template; the second is the older name.
const MIN_SCALE: [&str; 2] = ["autoscaling.knative.dev/min-scale", "autoscaling.knative.dev/minScale"];

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    let checks = [too_few, scales_to_zero, activator];
    facts.subjects.iter().flat_map(|subject| checks.iter().filter_map(|check| check(subject))).collect()
}

/// A failure of K replicas must leave one.
fn too_few(subject: &Subject) -> Option<Finding> {
    let (tolerate, ready) = (subject.tolerate()?, subject.ready().count());
    if ready > tolerate {
        return None;
    }
    let says = format!(
        "to survive K = {tolerate} failing at once it needs {} ready replicas, and has {ready}",
        tolerate + 1
    );
    let mend = subject.scale();
    Some(Finding::problem("too-few-replicas", subject.in_words()).says(says, mend))
}

/// What is there now may be gone in a minute.
fn scales_to_zero(subject: &Subject) -> Option<Finding> {
    let tolerate = subject.tolerate()?;
    if subject.function.platform != Platform::Knative {
        return None;
    }
    let written = MIN_SCALE.iter().find_map(|key| subject.knative.template.get(*key));
    let least: usize = written.map_or(Some(0), |value| value.parse().ok())?;
    if least > tolerate {
        return None;
    }
    let says = format!(
        "its min-scale is {least}: Knative takes its replicas away when it is idle, and K = {tolerate} needs {}",
        tolerate + 1
    );
    Some(Finding::problem("min-scale", subject.in_words()).says(says, subject.scale()))
}

/// The activator chooses a replica by itself, whatever it was sent for.
fn activator(subject: &Subject) -> Option<Finding> {
    let is_pod = |address: &String| subject.pods.iter().any(|pod| pod.ip == *address);
    let strangers = subject.knative.endpoints.iter().filter(|address| !is_pod(address)).count();
    if subject.function.platform != Platform::Knative || strangers == 0 || subject.policy().is_err() {
        return None;
    }
    let says = "its requests go through Knative's activator, which chooses the replica itself: no standby, no copies, and \
                a pod that dies fails what it was running (target-burst-capacity \"0\" takes the activator out)";
    Some(Finding::problem("activator", subject.in_words()).says(says, subject.scale()))
}
