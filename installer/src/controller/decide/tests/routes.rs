//! Functions of OpenFaaS that ask for a route: which VirtualServices they get, and what is said of it.

use serde_json::{Value, json};

use super::*;
use crate::controller::status::{Condition, Truth};
use crate::function::fixtures::{of_openfaas, openfaas_gateway};

/// `openfaas-fn` with these functions, each of which asks for a route.
fn place(functions: &[&str]) -> Place {
    let (deployments, mut services): (Vec<Value>, Vec<Value>) =
        functions.iter().map(|name| of_openfaas(name).into()).unzip();
    services.push(openfaas_gateway());
    Place { namespace: "openfaas-fn", deployments, ..Place::with(services) }
}

/// Somebody's VirtualService in `openfaas`.
fn theirs(hosts: &[&str], gateways: &[&str], http: Value) -> VirtualService {
    object(json!({
        "metadata": { "name": "theirs", "namespace": "openfaas" },
        "spec": { "hosts": hosts, "gateways": gateways, "http": http },
    }))
}

/// A route to OpenFaaS' gateway.
fn to_gateway(matches: Value) -> Value {
    json!({ "match": matches, "route": [{ "destination": { "host": "gateway", "port": { "number": 8080 } } }] })
}

fn ours(place: &Place) -> Vec<String> {
    let ours = place.routes.iter().filter(|route| all_routes::is_ours(route, "istio-system"));
    ours.map(|route| route.name_any()).collect()
}

/// What is said of the first function's route, once all is settled.
fn said(place: &mut Place) -> Condition {
    // What was written comes back first.
    place.settle();
    place.settle();
    assert!(place.look().is_empty(), "it never settles: {:?}", place.look());
    let status = place.deployments[0]["metadata"]["annotations"][STATUS].as_str().unwrap();
    Status::read(status).unwrap().get(About::Routed).unwrap().clone()
}

const MESH: &str = "steadfaas.openfaas-fn.route.mesh";
const BESIDE_THEIRS: &str = "steadfaas.openfaas-fn.route.openfaas.theirs";

#[test]
fn functions_share_one_for_calls_within_the_mesh_and_it_goes_with_the_last_of_them() {
    let mut place = place(&["fib", "other"]);
    let condition = said(&mut place);
    assert_eq!((condition.status, condition.reason.as_str()), (Truth::True, "Routed"));
    assert_eq!(
        condition.message,
        "calls of /function/fib and /function/fib.openfaas-fn are led to its Service: those for \
         gateway.openfaas.svc.cluster.local"
    );
    assert_eq!(ours(&place), [MESH]);
    for function in &mut place.deployments {
        assert_eq!(place.routes.len(), 1);
        function["metadata"]["annotations"].as_object_mut().unwrap().remove("steadfaas.dev/route");
    }
    place.settle();
    assert_eq!(ours(&place), [""; 0]);
}

#[test]
fn a_route_is_said_when_it_is_there_and_not_before() {
    let mut place = place(&["fib"]);
    place.settle();
    let status = place.deployments[0]["metadata"]["annotations"][STATUS].as_str().unwrap();
    assert_eq!(Status::read(status).unwrap().get(About::Routed), None);
}

#[test]
fn an_ingress_that_leads_to_the_gateway_gets_routes_beside_its_own_and_keeps_them_right() {
    let mut place = place(&["fib"]);
    let canary = json!([{ "headers": { "x-canary": { "exact": "1" } } }]);
    let default = to_gateway(json!([{ "uri": { "prefix": "/" } }]));
    let http = json!([{ "match": canary, "route": [{ "destination": { "host": "canary" } }] }, default]);
    place.routes = vec![theirs(&["openfaas.example.com"], &["gateway", "./other", "a/b"], http)];
    let actions = place.look();
    let beside = actions.iter().find_map(|action| match action {
        Action::Apply { name, object, .. } if name == BESIDE_THEIRS => Some(object),
        _ => None,
    });
    let beside: Value = serde_json::from_str(beside.unwrap().get()).unwrap();
    let spec = &beside["spec"];
    assert_eq!(spec["hosts"], json!(["openfaas.example.com"]));
    assert_eq!(spec["gateways"], json!(["openfaas/gateway", "openfaas/other", "a/b"]));
    assert_eq!(said(&mut place).status, Truth::True);
    assert_eq!(ours(&place), [MESH, BESIDE_THEIRS]);
    place.routes.retain(|route| route.name_any() != "theirs");
    place.settle();
    assert_eq!(ours(&place), [MESH]);
}

#[test]
fn where_somebody_else_has_the_host_within_the_mesh_theirs_stays_alone_and_is_named() {
    for (host, gateways) in [("gateway", &[][..]), ("*.openfaas.svc.cluster.local", &["mesh", "x"])] {
        let mut place = place(&["fib"]);
        place.routes = vec![theirs(&[host], gateways, json!([]))];
        let condition = said(&mut place);
        assert_eq!((condition.status, condition.reason.as_str()), (Truth::False, "RouteTaken"));
        assert!(condition.message.contains("VirtualService openfaas/theirs has"), "{}", condition.message);
        assert_eq!(ours(&place), [""; 0]);
    }
}

#[test]
fn an_ingress_that_leads_to_the_gateway_by_a_match_comes_first_and_is_named() {
    let mut place = place(&["fib"]);
    let by_path = to_gateway(json!([{ "uri": { "prefix": "/function/" } }]));
    place.routes = vec![theirs(&["openfaas.example.com"], &["gateway"], json!([by_path]))];
    let condition = said(&mut place);
    assert_eq!((condition.status, condition.reason.as_str()), (Truth::False, "RouteTaken"));
    assert!(condition.message.contains("theirs leads its calls to OpenFaaS' gateway by a match"));
    assert_eq!(ours(&place), [MESH]);
}

#[test]
fn what_leads_elsewhere_or_changes_paths_is_left_alone() {
    let mut rewritten = to_gateway(json!([{ "uri": { "prefix": "/faas/" } }]));
    rewritten["rewrite"] = json!({ "uri": "/" });
    let elsewhere = json!({ "route": [{ "destination": { "host": "shop" } }] });
    for http in [json!([rewritten, elsewhere]), json!([elsewhere, to_gateway(json!([]))])] {
        let mut place = place(&["fib"]);
        place.routes = vec![theirs(&["example.com"], &["gateway"], http)];
        assert_eq!(said(&mut place).status, Truth::True);
        assert_eq!(ours(&place), [MESH]);
    }
}

#[test]
fn a_route_that_cant_be_is_said_and_the_policy_holds() {
    let mut wrong = place(&["fib"]);
    wrong.deployments[0]["metadata"]["annotations"]["steadfaas.dev/route"] = "mesh".into();
    let mut without_gateway = place(&["fib"]);
    without_gateway.services.pop();
    for (mut place, reason) in [(wrong, "BadRoute"), (without_gateway, "NoGateway")] {
        let condition = said(&mut place);
        assert_eq!((condition.status, condition.reason.as_str()), (Truth::False, reason));
        assert_eq!((place.filters.len(), ours(&place).len()), (1, 0));
    }
}

#[test]
fn somebody_elses_change_of_our_route_is_put_back() {
    let mut place = place(&["fib"]);
    said(&mut place);
    let mut changed = json!({ "metadata": { "name": MESH, "namespace": "istio-system", "resourceVersion": "9" }, "spec": {} });
    changed["metadata"]["labels"] =
        json!({ "steadfaas.dev/part": "route", "steadfaas.dev/namespace": "openfaas-fn" });
    place.routes = vec![object(changed)];
    let actions = place.look();
    let is_route =
        |action: &&Action| matches!(action, Action::Apply { made: Made::VirtualService, is_there: true, .. });
    assert_eq!(actions.iter().filter(is_route).count(), 1, "{actions:?}");
}
