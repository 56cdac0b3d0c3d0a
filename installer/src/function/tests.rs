//! Which functions a platform's objects are.

use serde_json::{Value, json};

use super::fixtures::*;
use super::*;

/// The functions that these objects are: Knative's Services, Services, Deployments.
fn found(knative: &[Value], services: &[Value], deployments: &[Value]) -> Vec<Function> {
    let knative: Vec<KnativeService> = knative.iter().cloned().map(object).collect();
    let services: Vec<Service> = services.iter().cloned().map(object).collect();
    let deployments: Vec<Deployment> = deployments.iter().cloned().map(object).collect();
    let objects = Objects {
        knative: knative.iter().collect(),
        services: services.iter().collect(),
        deployments: deployments.iter().collect(),
    };
    functions(&objects, DEFAULT_DOMAIN)
}

fn only(functions: Vec<Function>) -> Function {
    assert_eq!(functions.len(), 1, "{functions:?}");
    functions.into_iter().next().unwrap()
}

fn clusters(function: &Function) -> Vec<String> {
    function.upstreams.iter().map(Upstream::cluster).collect()
}

#[test]
fn a_service_is_a_function_whose_settings_are_its_annotations() {
    let function = only(found(&[], &[service("fib", json!({ "app": "fib" }), protected())], &[]));
    assert_eq!((function.kind, function.platform), (Kind::Service, Platform::Plain));
    assert_eq!((function.id().as_str(), function.kubectl_name().as_str()), ("default/fib", "service/fib"));
    assert_eq!(clusters(&function), ["outbound|80||fib.default.svc.cluster.local"]);
    assert_eq!(function.written().settings, [("strategy".to_owned(), "active-standby".to_owned())].into());
    assert_eq!(function.upstreams[0].pods, [("app".to_owned(), "fib".to_owned())].into());
}

#[test]
fn what_the_controller_writes_asks_for_nothing() {
    let status = json!({ "steadfaas.dev/status": "{}" });
    assert!(!only(found(&[], &[service("fib", json!({}), status)], &[])).is_annotated());
    let misspelt = json!({ "steadfaas.dev/stratgy": "retry" });
    assert!(only(found(&[], &[service("fib", json!({}), misspelt)], &[])).is_annotated());
}

#[test]
fn an_annotated_deployment_takes_its_services_unless_they_speak_for_themselves() {
    let selector = || json!({ "app": "fib" });
    let pods = json!({ "app": "fib", "version": "1" });
    let annotated = [deployment("fib", pods.clone(), protected())];
    let silent = service("fib", selector(), json!({}));
    let function = only(found(&[], std::slice::from_ref(&silent), &annotated));
    assert_eq!(function.kind, Kind::Deployment);
    assert_eq!(clusters(&function), ["outbound|80||fib.default.svc.cluster.local"]);
    let loud = service("fib", selector(), json!({ "steadfaas.dev/strategy": "retry" }));
    assert_eq!(only(found(&[], &[loud], &annotated)).kind, Kind::Service);
    let plain = [deployment("fib", pods, json!({}))];
    assert_eq!(only(found(&[], &[silent], &plain)).kind, Kind::Service);
    let alone = only(found(&[], &[], &annotated));
    assert_eq!(alone.upstreams, [], "it is there to be told that no Service leads to it");
}

#[test]
fn a_deployment_that_asks_for_nothing_any_more_is_there_until_its_status_is_gone() {
    let pods = json!({ "app": "fib" });
    let said = [deployment("fib", pods, json!({ "steadfaas.dev/status": "{}" }))];
    let found = found(&[], &[service("fib", json!({ "app": "fib" }), json!({}))], &said);
    let kinds: Vec<(Kind, bool)> =
        found.iter().map(|function| (function.kind, function.is_annotated())).collect();
    assert_eq!(kinds, [(Kind::Deployment, false), (Kind::Service, false)]);
}

#[test]
fn a_headless_service_and_ports_that_speak_no_http_are_no_upstreams() {
    let mut headless = service("fib", json!({}), protected());
    headless["spec"]["clusterIP"] = "None".into();
    assert_eq!(only(found(&[], &[headless], &[])).upstreams, []);
    let mut several = service("fib", json!({}), protected());
    let ports =
        json!([{ "name": "tcp", "port": 1 }, { "name": "grpc", "port": 2 }, { "name": "web", "port": 3 }]);
    several["spec"]["ports"] = ports;
    let function = only(found(&[], &[several], &[]));
    let spoken: Vec<_> =
        function.upstreams.iter().map(|upstream| (upstream.port, upstream.protocol)).collect();
    assert_eq!(spoken, [(2, Protocol::Http2), (3, Protocol::Unnamed)]);
}

#[test]
fn openfaas_copies_annotations_to_deployment_and_service_which_are_one_function() {
    let labels = || json!({ "faas_function": "fib" });
    let mut made = deployment("fib", labels(), protected());
    made["metadata"]["labels"] = labels();
    let mut front = service("fib", labels(), protected());
    front["spec"]["ports"] = json!([{ "name": "http", "port": 8080, "targetPort": 8080 }]);
    let function = only(found(&[], &[front.clone()], &[made.clone()]));
    assert_eq!((function.platform, function.kind), (Platform::OpenFaas, Kind::Deployment));
    assert_eq!(clusters(&function), ["outbound|8080||fib.default.svc.cluster.local"]);
    made["metadata"]["annotations"] = json!({});
    assert!(only(found(&[], &[front], &[made])).is_annotated(), "by hand, on the Service alone");
}

#[test]
fn fissions_deployment_is_a_function_of_fission() {
    let mut made = deployment("newdeploy-fib", json!({ "functionName": "fib" }), protected());
    made["metadata"]["labels"] = json!({ "executorType": "newdeploy", "functionName": "fib" });
    let front = service("newdeploy-fib", json!({ "functionName": "fib" }), json!({}));
    let function = only(found(&[], &[front], &[made]));
    assert_eq!((function.platform, function.kind), (Platform::Fission, Kind::Deployment));
}

#[test]
fn knatives_revisions_with_traffic_and_the_newest_one_are_upstreams() {
    let service = knative_service("fib", "fib-00003", &["fib-00002", "fib-00001", "fib-00002"], protected());
    let second = revision_services("fib-00002", "fib-00002-private", ("http", 80));
    let first = revision_services("fib-00001", "fib-cut-and-hashed", ("http2", 81));
    let function = only(found(&[service], &[second, first].concat(), &[]));
    assert_eq!((function.platform, function.kubectl_name().as_str()), (Platform::Knative, "ksvc/fib"));
    assert_eq!(
        clusters(&function),
        [
            "outbound|81||fib-00001.default.svc.cluster.local",
            "outbound|80||fib-00002.default.svc.cluster.local",
            "outbound|80||fib-00003.default.svc.cluster.local",
        ]
    );
    let pods: Vec<&str> = function.upstreams.iter().map(|upstream| upstream.pods_service.as_str()).collect();
    assert_eq!(pods, ["fib-cut-and-hashed", "fib-00002-private", "fib-00003-private"]);
    assert_eq!(function.upstreams[0].protocol, Protocol::Http2);
    let shares: Vec<bool> = function.upstreams.iter().map(|upstream| upstream.takes_share).collect();
    assert_eq!(shares, [true, true, false], "the newest one is yet to come");
}

#[test]
fn what_knative_makes_for_its_own_is_no_function_by_itself() {
    let services = revision_services("fib-00001", "fib-00001-private", ("http", 80));
    let mut made = deployment("fib-00001-deployment", json!({ "app": "fib" }), protected());
    made["metadata"]["labels"] = json!({ "serving.knative.dev/revision": "fib-00001" });
    let mut placeholder = service("fib", json!({}), protected());
    placeholder["spec"]["type"] = "ExternalName".into();
    assert_eq!(found(&[], &[services.to_vec(), vec![placeholder]].concat(), &[made]), []);
}

#[test]
fn what_is_wrong_with_annotations_names_the_key() {
    let wrong = json!({ "steadfaas.dev/strategy": "retry", "steadfaas.dev/tolerate": "9" });
    let function = only(found(&[], &[service("fib", json!({}), wrong)], &[]));
    assert_eq!(function.policy().unwrap_err().key(), Some("tolerate"));
    let unknown = json!({ "steadfaas.dev/strategy": "retry", "steadfaas.dev/toelrate": "2" });
    let function = only(found(&[], &[service("fib", json!({}), unknown)], &[]));
    assert!(function.policy().unwrap_err().to_string().starts_with("unknown key `toelrate`"));
}
