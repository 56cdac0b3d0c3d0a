//! A cluster in which all is well: tests break one thing of it.

use serde_json::json;

use crate::facts::{Asked, Facts, Istiod, KnativeFact, Object, PodFact, Subject};
use crate::function::fixtures::{knative_service, object, protected, revision_services, service};
use crate::function::{DEFAULT_DOMAIN, Objects, functions};
use crate::proxy::report::fixtures::report;
use crate::proxy::{Proxy, Role};

/// Istio 1.29, a gateway that has the filter, and the function `fib` with two replicas on two nodes.
pub(crate) fn well() -> Facts {
    let mut report = report();
    report.identity.labels_functions = true;
    report.identity.exact_timers = true;
    let gateway = Proxy {
        namespace: "istio-system".to_owned(),
        name: "gateway-1".to_owned(),
        role: Role::Gateway,
        labels: [("istio".to_owned(), "ingressgateway".to_owned())].into(),
        ready: true,
    };
    Facts {
        has_envoy_filters: true,
        istiod: Istiod { version: crate::envoy_filter::IstioVersion::read("1.29.2"), variables: [].into() },
        subjects: vec![read(plain(protected()))],
        envoy_filters: vec![Object {
            labels: [("steadfaas.dev/part".to_owned(), "function".to_owned())].into(),
            ..istio("steadfaas.default.service.fib", json!({}))
        }],
        virtual_services: vec![route(json!({}))],
        destination_rules: Vec::new(),
        gateways: vec![istio("gateway", json!({ "selector": { "istio": "ingressgateway" } }))],
        proxies: vec![Asked { proxy: gateway, report: Ok(report), before: [].into() }],
        proxies_in_all: 1,
    }
}

/// The controller has read its annotations.
pub(crate) fn read(mut subject: Subject) -> Subject {
    subject.function.annotations.insert("steadfaas.dev/status".to_owned(), r#"{"conditions":[]}"#.to_owned());
    subject
}

/// The function `fib`: a Service with these annotations and two pods.
pub(crate) fn plain(annotations: serde_json::Value) -> Subject {
    let service = object(service("fib", json!({ "app": "fib" }), annotations));
    let objects = Objects { services: vec![&service], ..Objects::default() };
    let function = functions(&objects, DEFAULT_DOMAIN).remove(0);
    Subject { function, pods: pods(), speaks_grpc: false, openfaas: None, knative: KnativeFact::default() }
}

/// The function `fib` of Knative, well scaled.
pub(crate) fn knative() -> Subject {
    let services = revision_services("fib-00001", "fib-00001-private", ("http", 80)).map(object);
    let knative = object(knative_service("fib", "fib-00001", &["fib-00001"], protected()));
    let objects =
        Objects { services: services.iter().collect(), knative: vec![&knative], ..Objects::default() };
    let template = [
        ("autoscaling.knative.dev/min-scale".to_owned(), "2".to_owned()),
        ("autoscaling.knative.dev/target-burst-capacity".to_owned(), "0".to_owned()),
    ];
    read(Subject {
        function: functions(&objects, DEFAULT_DOMAIN).remove(0),
        pods: pods(),
        speaks_grpc: false,
        openfaas: None,
        knative: KnativeFact {
            template: template.into(),
            endpoints: vec!["10.244.2.2".to_owned(), "10.244.3.2".to_owned()],
        },
    })
}

fn pods() -> Vec<PodFact> {
    let pod = |name: &str, ip: &str, node: &str| PodFact {
        name: name.to_owned(),
        ip: ip.to_owned(),
        node: node.to_owned(),
        ready: true,
    };
    vec![pod("fib-1", "10.244.2.2", "worker1"), pod("fib-2", "10.244.3.2", "worker2")]
}

/// An object of Istio in its root namespace.
pub(crate) fn istio(name: &str, spec: serde_json::Value) -> Object {
    Object { namespace: "istio-system".to_owned(), name: name.to_owned(), labels: [].into(), spec }
}

/// A VirtualService that leads to `fib`, whose route has these fields as well.
pub(crate) fn route(fields: serde_json::Value) -> Object {
    let mut http = json!({ "route": [{ "destination": { "host": "fib.default.svc.cluster.local" } }] });
    for (key, value) in fields.as_object().unwrap() {
        http[key] = value.clone();
    }
    istio("fib", json!({ "gateways": ["istio-system/gateway"], "http": [http] }))
}
