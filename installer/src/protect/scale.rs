//! Replicas: how many a function needs to survive K failures, and what gives it those.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Value, json};

/// Knative's fewest replicas, on the template.
pub const MIN_SCALE: &str = "autoscaling.knative.dev/min-scale";

/// Knative's room for bursts, on the template: 0 takes the activator out of the way while there are replicas.
pub const BURST: &str = "autoscaling.knative.dev/target-burst-capacity";

/// By which label of nodes replicas are spread.
const HOSTNAME: &str = "kubernetes.io/hostname";

/// What Knative's template lacks, as a patch of the Service; nothing where it lacks nothing. Knative itself prefers
/// different nodes for a revision's pods, and takes no topology spread unless an administrator allows it.
#[must_use]
pub fn knative(template: &BTreeMap<String, String>, tolerate: u8) -> Option<Value> {
    let wanted = u32::from(tolerate) + 1;
    let least = template.get(MIN_SCALE).and_then(|written| written.parse::<u32>().ok());
    let mut annotations = serde_json::Map::new();
    if least.is_none_or(|least| least < wanted) {
        annotations.insert(MIN_SCALE.to_owned(), wanted.to_string().into());
    }
    if template.get(BURST).map(String::as_str) != Some("0") {
        annotations.insert(BURST.to_owned(), "0".into());
    }
    let patch = json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } });
    (!annotations_of(&patch).is_none_or(serde_json::Map::is_empty)).then_some(patch)
}

fn annotations_of(patch: &Value) -> Option<&serde_json::Map<String, Value>> {
    patch.pointer("/spec/template/metadata/annotations")?.as_object()
}

/// What a Deployment lacks, as a patch: replicas, and a spread over nodes. It prefers other nodes and takes the same
/// one where there is no other, for a replica on the same node is better than none.
#[must_use]
pub fn deployment(deployment: &Deployment, tolerate: u8) -> Option<Value> {
    let spec = deployment.spec.as_ref()?;
    let wanted = i32::from(tolerate) + 1;
    let mut patch = serde_json::Map::new();
    // Kubernetes makes one where nothing is said.
    if spec.replicas.unwrap_or(1) < wanted {
        patch.insert("replicas".to_owned(), wanted.into());
    }
    let pods = spec.template.spec.as_ref();
    let spread = pods.and_then(|pods| pods.topology_spread_constraints.clone()).unwrap_or_default();
    if !spread.iter().any(|constraint| constraint.topology_key == HOSTNAME) {
        // Merging replaces lists: those that are there have to be said again.
        let mut all: Vec<Value> = spread.iter().filter_map(|one| serde_json::to_value(one).ok()).collect();
        all.push(json!({
            "maxSkew": 1,
            "topologyKey": HOSTNAME,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": spec.selector,
        }));
        patch.insert("template".to_owned(), json!({ "spec": { "topologySpreadConstraints": all } }));
    }
    (!patch.is_empty()).then(|| json!({ "spec": patch }))
}

/// The settings of a patch, one a line, as people name them.
#[must_use]
pub fn in_words(patch: &Value) -> Vec<String> {
    let mut words = Vec::new();
    for (key, value) in annotations_of(patch).into_iter().flatten() {
        words.push(format!("{key}: {value} on the template"));
    }
    if let Some(replicas) = patch.pointer("/spec/replicas") {
        words.push(format!("replicas: {replicas}"));
    }
    if patch.pointer("/spec/template/spec/topologySpreadConstraints").is_some() {
        words.push(format!("a topology spread over {HOSTNAME}"));
    }
    words
}
