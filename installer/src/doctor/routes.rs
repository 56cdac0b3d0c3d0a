//! What others say about a function's requests: VirtualServices and DestinationRules.

use serde_json::Value;

use super::Finding;
use crate::facts::{Facts, Object, Subject};
use crate::virtual_service::covers;

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    let of = |subject| retries(facts, subject).into_iter().chain(outliers(facts, subject));
    facts.subjects.iter().filter(|subject| subject.policy().is_ok()).flat_map(of).collect()
}

/// HTTP routes that lead to the function, each with its VirtualService.
pub(super) fn routes_to<'a>(
    facts: &'a Facts,
    subject: &'a Subject,
) -> impl Iterator<Item = (&'a Object, &'a Value)> {
    facts.virtual_services.iter().flat_map(move |object| {
        let routes = object.spec.get("http").and_then(Value::as_array).into_iter().flatten();
        routes.filter(move |route| leads_to(object, route, subject)).map(move |route| (object, route))
    })
}

fn leads_to(object: &Object, route: &Value, subject: &Subject) -> bool {
    let destinations = route.get("route").and_then(Value::as_array).into_iter().flatten();
    let mut hosts = destinations.filter_map(|entry| entry.pointer("/destination/host")?.as_str());
    hosts.any(|host| subject.has_host(&object.resolve(host)))
}

/// Retries of the route: overridden where the proxy takes a retry policy of the cluster, else added to ours.
fn retries(facts: &Facts, subject: &Subject) -> Vec<Finding> {
    let retried = |route: &Value| {
        route.pointer("/retries/attempts").and_then(Value::as_i64).filter(|attempts| *attempts > 0)
    };
    let mut objects: Vec<(&Object, i64)> =
        routes_to(facts, subject).filter_map(|(object, route)| Some((object, retried(route)?))).collect();
    objects.dedup_by_key(|(object, _)| (object.namespace.clone(), object.name.clone()));
    objects.into_iter().map(|(object, attempts)| overlap(facts, subject, object, attempts)).collect()
}

fn overlap(facts: &Facts, subject: &Subject, object: &Object, attempts: i64) -> Finding {
    let name = format!("{}/{}", object.namespace, object.name);
    let mend = format!(
        "kubectl edit -n {} virtualservice {}, and leave `retries` out",
        object.namespace, object.name
    );
    let overridden = facts.istiod.version.is_none_or(|version| version.needs().cluster_retries);
    let here =
        facts.istiod.version.map_or_else(|| "this Istio".to_owned(), |version| format!("Istio {version}"));
    if overridden {
        let says = format!(
            "VirtualService {name} asks for {attempts} retries as well: {here} takes the policy's own in their place, so \
             they have no effect (up to Istio 1.28 both would count)"
        );
        return Finding::note("virtualservice-retries", subject.in_words()).says(says, mend);
    }
    let says = format!(
        "VirtualService {name} asks for {attempts} retries as well: {here} adds both up, so that requests which must not \
         run twice are tried again for its reasons too"
    );
    Finding::warning("virtualservice-retries", subject.in_words()).says(says, mend)
}

/// Outlier detection takes a hedged request's soft timeout for a 504.
fn outliers(facts: &Facts, subject: &Subject) -> Vec<Finding> {
    let applies = |object: &&Object| {
        let host = object.spec.get("host").and_then(Value::as_str).unwrap_or_default();
        subject.function.upstreams.iter().any(|own| covers(&object.resolve(host), &own.host))
    };
    let detects = |object: &&Object| mentions(&object.spec, "outlierDetection");
    facts
        .destination_rules
        .iter()
        .filter(applies)
        .filter(detects)
        .map(|object| ejection(subject, object))
        .collect()
}

fn ejection(subject: &Subject, object: &Object) -> Finding {
    let Object { namespace, name, .. } = object;
    let says = format!(
        "DestinationRule {namespace}/{name} has outlierDetection: Envoy counts each attempt that was late as a 504, so \
         that hedging alone gets well replicas ejected"
    );
    let mend =
        format!("kubectl edit -n {namespace} destinationrule {name}, and leave `outlierDetection` out");
    Finding::warning("outlier-detection", subject.in_words()).says(says, mend)
}

/// Somewhere within there is a key of this name with something under it: of a rule, a port or a subset.
fn mentions(value: &Value, key: &str) -> bool {
    match value {
        Value::Object(fields) => {
            fields.get(key).is_some_and(|found| !found.is_null())
                || fields.values().any(|field| mentions(field, key))
        }
        Value::Array(entries) => entries.iter().any(|entry| mentions(entry, key)),
        _ => false,
    }
}
