//! Do somebody else's EnvoyFilters get in the way?

use serde_json::Value;

use super::{Facts, Finding, Object, Subject};

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    let foreign = || facts.envoy_filters.iter().filter(|object| !object.is_ours());
    let of = |subject: &Subject| {
        foreign()
            .filter(|object| sets_balancing(object, subject))
            .map(|object| finding(object, subject))
            .collect()
    };
    facts.subjects.iter().filter(|subject| subject.policy.is_ok()).flat_map::<Vec<Finding>, _>(of).collect()
}

impl Object {
    /// It is one that steadfaas wrote.
    pub(crate) fn is_ours(&self) -> bool {
        self.labels.get("app.kubernetes.io/managed-by").is_some_and(|manager| manager == "steadfaas")
    }
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
    let of_name = |name: &str| subject.hosts.iter().any(|host| name.ends_with(&format!("|{host}")));
    match (service, name) {
        (None, None) => true,
        (Some(service), _) => subject.hosts.iter().any(|host| host == service),
        (None, Some(name)) => of_name(name),
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
