//! What is broken is found by name, and nothing else is.

use std::fmt::Write as _;

use serde_json::json;

use super::fixtures::{istio, knative, plain, read, route, well};
use super::*;
use crate::envoy_filter::IstioVersion;
use crate::facts::Object;
use crate::function::fixtures::protected;
use crate::function::{OpenFaasGateway, Platform, Protocol};
use crate::proxy::{FilterState, Metrics, Report};

/// Breaks one thing.
type Broken = fn(&mut Facts);

fn report(facts: &mut Facts) -> &mut Report {
    facts.proxies[0].report.as_mut().unwrap()
}

fn version(text: &str) -> Option<IstioVersion> {
    IstioVersion::read(text)
}

fn spend(facts: &mut Facts, before: u64) {
    let earlier = Metrics { requests: 100, extra_attempts: 0, ..Metrics::default() };
    let now = Metrics { requests: 400, extra_attempts: before, ..Metrics::default() };
    report(facts).metrics.insert("default/fib".to_owned(), now);
    facts.proxies[0].before.insert("default/fib".to_owned(), earlier);
}

/// The check that has to speak, the thing that is broken.
const BROKEN: [(&str, Broken); 35] = [
    ("no-envoyfilter", |facts| facts.has_envoy_filters = false),
    ("istio-too-old", |facts| facts.istiod.version = version("1.26.4")),
    ("istio-unsupported", |facts| facts.istiod.version = version("1.27.1")),
    ("proxy-too-old", |facts| report(facts).identity.chooses_replicas = false),
    ("private-clusters-hidden", |facts| {
        facts.subjects = vec![knative()];
        report(facts).clusters[0].name = "outbound|80||fib-00001.default.svc.cluster.local".to_owned();
        facts.istiod.variables.insert("PILOT_FILTER_GATEWAY_CLUSTER_CONFIG".to_owned(), "true".to_owned());
    }),
    ("gateway-without-pods", |facts| facts.gateways[0].spec = json!({ "selector": { "istio": "other" } })),
    ("gateway-not-selected", |facts| {
        facts.envoy_filters[0].spec = json!({ "workloadSelector": { "labels": { "app": "other" } } });
    }),
    ("proxy-silent", |facts| facts.proxies[0].report = Err("no answer for 5 s".to_owned())),
    ("filter-not-loaded", |facts| report(facts).filter = FilterState::Missing),
    ("filter-not-loaded", |facts| {
        report(facts).filter = FilterState::Missing;
        facts.envoy_filters.clear();
    }),
    ("vm-failed", |facts| report(facts).filter = FilterState::Failed { failures: 3 }),
    ("no-metric-labels", |facts| report(facts).identity.labels_functions = false),
    ("coarse-timers", |facts| report(facts).identity.exact_timers = false),
    ("no-policy-in-proxy", |facts| report(facts).clusters.clear()),
    ("choice-not-patched", |facts| report(facts).clusters[0].chooses_replicas = false),
    ("back-off-not-patched", |facts| report(facts).clusters[0].back_off_ms = None),
    ("proxies-left-out", |facts| facts.proxies_in_all = 30),
    ("foreign-envoyfilter", |facts| {
        let patch = json!({ "applyTo": "CLUSTER", "match": { "cluster": { "service": "fib.default.svc.cluster.local" } },
                            "patch": { "value": { "load_balancing_policy": {} } } });
        facts.envoy_filters.push(istio("theirs", json!({ "configPatches": [patch] })));
    }),
    ("too-few-replicas", |facts| facts.subjects[0].pods[1].ready = false),
    ("min-scale", |facts| {
        facts.subjects = vec![knative()];
        report(facts).clusters[0].name = "outbound|80||fib-00001.default.svc.cluster.local".to_owned();
        facts.subjects[0].knative.template.remove("autoscaling.knative.dev/min-scale");
    }),
    ("activator", |facts| {
        facts.subjects = vec![knative()];
        report(facts).clusters[0].name = "outbound|80||fib-00001.default.svc.cluster.local".to_owned();
        facts.subjects[0].knative.endpoints = vec!["10.244.1.9".to_owned()];
    }),
    ("one-node", |facts| facts.subjects[0].pods[1].node = "worker1".to_owned()),
    ("port-not-http", |facts| facts.subjects[0].function.upstreams[0].protocol = Protocol::Unnamed),
    ("virtualservice-retries", |facts| {
        facts.virtual_services = vec![route(json!({ "retries": { "attempts": 2 } }))]
    }),
    ("outlier-detection", |facts| {
        let rule = json!({ "host": "*.default.svc.cluster.local", "trafficPolicy": { "outlierDetection": { "consecutive5xxErrors": 5 } } });
        facts.destination_rules = vec![istio("all", rule)];
    }),
    ("post-only", |facts| {
        facts.virtual_services = vec![route(json!({ "match": [{ "method": { "exact": "POST" } }] }))];
    }),
    ("post-only", |facts| facts.subjects[0].speaks_grpc = true),
    ("post-only", |facts| facts.subjects[0].function.platform = Platform::OpenFaas),
    ("openfaas-route", |facts| facts.subjects[0].openfaas = OpenFaasGateway::of("openfaas-fn")),
    ("openfaas-route", |facts| {
        let taken = r#"{"conditions":[{"type":"Routed","status":"False","reason":"NoGateway","message":"`route` is `gateway`: there is no Service gateway.openfaas","lastTransitionTime":"2026-01-01T00:00:00Z"}]}"#;
        facts.subjects[0].function.annotations.insert("steadfaas.dev/status".to_owned(), taken.to_owned());
    }),
    ("openfaas-route", |facts| {
        facts.virtual_services[0].labels.insert("steadfaas.dev/part".to_owned(), "route".to_owned());
        facts.gateways[0].spec["servers"] = json!([{ "hosts": ["openfaas/*", "./a.example.com"] }]);
        facts.gateways[0].namespace = "ingress".to_owned();
        facts.virtual_services[0].spec["gateways"] = json!(["ingress/gateway"]);
    }),
    ("budget-exhausted", |facts| spend(facts, 60)),
    ("no-controller", |facts| facts.subjects = vec![plain(protected())]),
    ("annotations", |facts| {
        let over = r#"{"conditions":[{"type":"Valid","status":"False","reason":"OverLimit","message":"`tolerate: 3` is over the limit","lastTransitionTime":"2026-01-01T00:00:00Z"}]}"#;
        facts.subjects[0].function.annotations.insert("steadfaas.dev/status".to_owned(), over.to_owned());
    }),
    ("annotations", |facts| {
        facts.subjects =
            vec![plain(json!({ "steadfaas.dev/strategy": "retry", "steadfaas.dev/tolerate": "9" }))];
    }),
];

#[test]
fn where_all_is_well_nothing_is_found() {
    assert_eq!(examine(&well()), []);
    let mut of_knative = well();
    of_knative.subjects = vec![knative()];
    report(&mut of_knative).clusters[0].name = "outbound|80||fib-00001.default.svc.cluster.local".to_owned();
    assert_eq!(examine(&of_knative), []);
}

#[test]
fn each_broken_thing_is_found_alone() {
    for (check, broken) in BROKEN {
        let mut facts = well();
        broken(&mut facts);
        let found: Vec<&str> = examine(&facts).iter().map(|finding| finding.check).collect();
        assert_eq!(found, [check]);
    }
}

#[test]
fn every_finding_names_the_object_what_comes_of_it_and_the_command() {
    let mut text = String::new();
    for (_, broken) in BROKEN {
        let mut facts = well();
        broken(&mut facts);
        for Finding { severity, check, object, says, mend } in examine(&facts) {
            writeln!(text, "{} [{check}] {object}\n  {says}\n  mend: {mend}", severity.as_str()).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_virtual_services_retries_are_overridden_from_1_29_on_and_added_before() {
    let severity = |istio: &str| {
        let mut facts = well();
        facts.istiod.version = version(istio);
        facts.virtual_services = vec![route(json!({ "retries": { "attempts": 2 } }))];
        examine(&facts).iter().find(|finding| finding.check == "virtualservice-retries").unwrap().severity
    };
    assert_eq!((severity("1.29.0"), severity("1.28.4")), (Severity::Note, Severity::Warning));
}

#[test]
fn what_belongs_to_others_is_left_alone() {
    let mut facts = well();
    let theirs = |service: &str| {
        json!({ "applyTo": "CLUSTER", "match": { "cluster": { "service": service } },
                "patch": { "value": { "load_balancing_policy": {} } } })
    };
    facts
        .envoy_filters
        .push(istio("theirs", json!({ "configPatches": [theirs("other.default.svc.cluster.local")] })));
    let rule = json!({ "host": "other", "trafficPolicy": { "outlierDetection": {} } });
    facts.destination_rules = vec![Object { namespace: "default".to_owned(), ..istio("other", rule) }];
    assert_eq!(examine(&facts), []);
}

#[test]
fn a_function_that_asks_for_its_route_isnt_told_to() {
    let mut facts = well();
    let mut annotations = protected();
    annotations["steadfaas.dev/route"] = "gateway".into();
    facts.subjects = vec![read(plain(annotations))];
    facts.subjects[0].openfaas = OpenFaasGateway::of("openfaas-fn");
    assert_eq!(examine(&facts), []);
}

#[test]
fn whoever_said_that_it_may_not_run_twice_isnt_told_so() {
    let mut facts = well();
    facts.subjects =
        vec![read(plain(json!({ "steadfaas.dev/strategy": "retry", "steadfaas.dev/idempotent": "false" })))];
    facts.subjects[0].speaks_grpc = true;
    assert_eq!(examine(&facts), []);
}

#[test]
fn problems_come_first() {
    let mut facts = well();
    facts.proxies_in_all = 30;
    facts.subjects[0].pods[1].ready = false;
    let severities: Vec<Severity> = examine(&facts).iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Problem, Severity::Note]);
}
