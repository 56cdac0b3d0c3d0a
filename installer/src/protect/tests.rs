//! What is written for which function.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::json;

use super::*;
use crate::function::fixtures::{deployment, object, protected};
use crate::function::{Platform, Upstream};

fn function(annotations: &[(&str, &str)]) -> Function {
    let all = annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Function {
        platform: Platform::Plain,
        kind: Kind::Deployment,
        namespace: "default".to_owned(),
        name: "fib".to_owned(),
        uid: "1".to_owned(),
        annotations: all.collect(),
        upstreams: Vec::<Upstream>::new(),
    }
}

fn settings(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn what_was_there_and_isnt_asked_for_goes_and_what_is_said_to_or_by_others_stays() {
    let before = function(&[
        ("steadfaas.dev/budget", "5%"),
        ("steadfaas.dev/strategy", "hedged"),
        ("steadfaas.dev/status", "{}"),
        ("steadfaas.dev/standby-for", "web"),
        ("steadfaas.dev/route", "gateway"),
    ]);
    let change = annotate(&before, &settings(&[("strategy", "request-replication")]));
    assert_eq!(change.object(), "deployment default/fib");
    assert_eq!(
        change.patch,
        json!({ "metadata": { "annotations": {
            "steadfaas.dev/budget": null,
            "steadfaas.dev/route": null,
            "steadfaas.dev/strategy": "request-replication",
        } } })
    );
    assert!(!change.is_empty());
    assert!(annotate(&function(&[]), &settings(&[])).is_empty(), "nothing to take away");
}

#[test]
fn wrong_settings_are_refused_before_anything_is_written() {
    let error = compile(&function(&[]), &settings(&[("strategy", "retry"), ("tolerate", "9")])).unwrap_err();
    assert_eq!(error.to_string(), "`tolerate` is `9`: a whole number from 1 to 4 would be right");
}

#[test]
fn knatives_template_gets_what_it_lacks_and_keeps_what_is_more() {
    let patch = scale::knative(&settings(&[]), 1).unwrap();
    let annotations = json!({
        "autoscaling.knative.dev/min-scale": "2",
        "autoscaling.knative.dev/target-burst-capacity": "0",
    });
    assert_eq!(patch, json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } }));
    let enough = settings(&[(scale::MIN_SCALE, "5"), (scale::BURST, "0")]);
    assert_eq!(scale::knative(&enough, 2), None);
    let with_activator = settings(&[(scale::MIN_SCALE, "5"), (scale::BURST, "200")]);
    let words = scale::in_words(&scale::knative(&with_activator, 2).unwrap());
    assert_eq!(words, ["autoscaling.knative.dev/target-burst-capacity: \"0\" on the template"]);
}

#[test]
fn a_deployment_gets_replicas_and_a_spread_beside_those_it_has() {
    let one: Deployment = object(deployment("fib", json!({ "app": "fib" }), protected()));
    let patch = scale::deployment(&one, 1).unwrap();
    assert_eq!(scale::in_words(&patch), ["replicas: 2", "a topology spread over kubernetes.io/hostname"]);
    let mut zoned = deployment("fib", json!({ "app": "fib" }), protected());
    let zones = json!({ "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule" });
    zoned["spec"]["template"]["spec"] = json!({ "containers": [], "topologySpreadConstraints": [zones] });
    zoned["spec"]["replicas"] = 3.into();
    let patch = scale::deployment(&object(zoned.clone()), 1).unwrap();
    assert_eq!(patch["spec"]["replicas"], json!(null));
    let spread = patch["spec"]["template"]["spec"]["topologySpreadConstraints"].as_array().unwrap();
    let keys: Vec<&str> = spread.iter().map(|one| one["topologyKey"].as_str().unwrap()).collect();
    assert_eq!(keys, ["zone", "kubernetes.io/hostname"]);
    assert_eq!(spread[1]["labelSelector"], json!({ "matchLabels": { "app": "fib" } }));
    zoned["spec"]["template"]["spec"]["topologySpreadConstraints"] = spread.clone().into();
    assert_eq!(scale::deployment(&object(zoned), 1), None, "it lacks nothing any more");
}
