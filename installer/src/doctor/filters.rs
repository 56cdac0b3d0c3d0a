//! Do somebody else's EnvoyFilters get in the way?

use serde_json::Value;

use super::Finding;
use crate::facts::{Facts, Object, Subject};

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    let foreign = || facts.envoy_filters.iter().filter(|object| !object.is_ours());
    let of = |subject: &Subject| {
        foreign()
            .filter(|object| sets_balancing(object, subject))
            .map(|object| finding(object, subject))
            .collect()
    };
    facts.subjects.iter().filter(|subject| subject.policy().is_ok()).flat_map::<Vec<Finding>, _>(of).collect()
}

fn sets_balancing(object: &Object, subject: &Subject) -> bool {
    let patches = object.spec.get("configPatches").and_then(Value::as_array).into_iter().flatten();
    patches.filter(|patch| patch.pointer("/patch/value/load_balancing_policy").is_some()).any(|patch| {
        let text = |path: &str| patch.pointer(path).and_then(Value::as_str);
        text("/applyTo") == Some("CLUSTER")
            && matches_cluster(subject, text("/match/cluster/service"), text("/match/cluster/name"))
    })
}

/// A patch that names no cluster is for all of them.
fn matches_cluster(subject: &Subject, service: Option<&str>, name: Option<&str>) -> bool {
    match (service, name) {
        (None, None) => true,
        (Some(service), _) => subject.has_host(service),
        (None, Some(name)) => subject.function.upstreams.iter().any(|upstream| upstream.cluster() == name),
    }
}

fn finding(object: &Object, subject: &Subject) -> Finding {
    let Object { namespace, name, .. } = object;
    let says = format!(
        "EnvoyFilter {namespace}/{name} sets load_balancing_policy on the same cluster: Envoy appends such lists, and \
         which entry is first decides whether the filter's choice of replicas counts"
    );
    let mend =
        format!("kubectl edit -n {namespace} envoyfilter {name}, and leave `load_balancing_policy` out");
    Finding::problem("foreign-envoyfilter", subject.in_words()).says(says, mend)
}
