//! Objects as platforms make them, for tests.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{DEFAULT_DOMAIN, Function, Objects, functions};

/// The object that this JSON is.
pub(crate) fn object<K: DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

/// Metadata in the namespace `default`.
pub(crate) fn metadata(name: &str, labels: Value, annotations: Value) -> Value {
    json!({ "name": name, "namespace": "default", "uid": format!("uid-of-{name}"), "labels": labels, "annotations": annotations })
}

/// What asks for protection.
pub(crate) fn protected() -> Value {
    json!({ "steadfaas.dev/strategy": "active-standby", "example.com/team": "blue" })
}

/// A Service on port 80, named `http`.
pub(crate) fn service(name: &str, selector: Value, annotations: Value) -> Value {
    let ports = json!([{ "name": "http", "port": 80, "targetPort": 8080 }]);
    json!({ "metadata": metadata(name, json!({}), annotations), "spec": { "selector": selector, "ports": ports } })
}

/// A Deployment whose pods have these labels.
pub(crate) fn deployment(name: &str, pods: Value, annotations: Value) -> Value {
    let template = json!({ "metadata": { "labels": pods } });
    json!({
        "metadata": metadata(name, json!({}), annotations),
        "spec": { "selector": { "matchLabels": pods }, "template": template },
    })
}

/// A Service of Knative whose requests go to these revisions.
pub(crate) fn knative_service(name: &str, newest: &str, revisions: &[&str], annotations: Value) -> Value {
    let traffic: Vec<Value> =
        revisions.iter().map(|revision| json!({ "revisionName": revision, "percent": 1 })).collect();
    json!({
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": metadata(name, json!({}), annotations),
        "spec": { "template": { "spec": { "containers": [{ "image": "dev.local/fib:1" }] } } },
        "status": { "latestCreatedRevisionName": newest, "traffic": traffic },
    })
}

/// The public and the private Service of a revision, as Knative makes them.
pub(crate) fn revision_services(revision: &str, private: &str, port: (&str, u16)) -> [Value; 2] {
    let of = |name: &str, kind: &str, port: (&str, u16)| {
        let labels = json!({
            "networking.internal.knative.dev/serverlessservice": revision,
            "networking.internal.knative.dev/serviceType": kind,
            "serving.knative.dev/revision": revision,
        });
        let ports = json!([{ "name": port.0, "port": port.1 }, { "name": "https", "port": 443 }]);
        json!({ "metadata": metadata(name, labels, protected()), "spec": { "ports": ports } })
    };
    [of(revision, "Public", port), of(private, "Private", (port.0, 80))]
}

/// Deployment and Service of a function of OpenFaaS that asks for protection and a route, in `openfaas-fn`.
pub(crate) fn of_openfaas(name: &str) -> [Value; 2] {
    let labels = json!({ "faas_function": name });
    let mut annotations = protected();
    annotations["steadfaas.dev/route"] = "gateway".into();
    let mut made = deployment(name, labels.clone(), annotations.clone());
    made["metadata"]["labels"] = labels.clone();
    let mut front = service(name, labels, annotations);
    front["spec"]["ports"] = json!([{ "name": "http", "port": 8080, "targetPort": 8080 }]);
    [made, front].map(|mut object| {
        object["metadata"]["namespace"] = "openfaas-fn".into();
        object
    })
}

/// That function.
pub(crate) fn routed(name: &str) -> Function {
    let [made, front] = of_openfaas(name);
    let (made, front) = (object(made), object(front));
    let objects = Objects { services: vec![&front], deployments: vec![&made], ..Objects::default() };
    functions(&objects, DEFAULT_DOMAIN).remove(0)
}

/// The Service of OpenFaaS' gateway.
pub(crate) fn openfaas_gateway() -> Value {
    let mut gateway = service("gateway", json!({ "app": "gateway" }), json!({}));
    gateway["metadata"]["namespace"] = "openfaas".into();
    gateway
}
