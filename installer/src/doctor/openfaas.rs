//! Does OpenFaaS' gateway send to a function past the mesh?

use serde_json::Value;

use super::Finding;
use super::gateways::gateways_of;
use super::routes::routes_to;
use crate::controller::status::About;
use crate::facts::{Facts, Object, Subject};
use crate::function::{BY_GATEWAY, ROUTE};

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    let of =
        |subject| refused(subject).or_else(|| kept_out(facts, subject)).or_else(|| past_the_mesh(subject));
    facts.subjects.iter().filter_map(of).collect()
}

/// It asks for a route, and the controller says why there is none.
fn refused(subject: &Subject) -> Option<Finding> {
    let complaint = subject.complaints().into_iter().find(|complaint| complaint.about == About::Routed)?;
    let finding = Finding::warning("openfaas-route", subject.in_words());
    Some(finding.says(complaint.message, subject.kubectl("edit")))
}

/// Its route is there, and a Gateway doesn't take it from where it is.
fn kept_out(facts: &Facts, subject: &Subject) -> Option<Finding> {
    let ours = routes_to(facts, subject).map(|(object, _)| object).filter(|object| object.is_ours());
    let mut bound = ours.flat_map(|route| gateways_of(facts, route).map(move |gateway| (route, gateway)));
    let (route, gateway) = bound.find(|(route, gateway)| !takes_from(gateway, &route.namespace))?;
    let Object { namespace, name, .. } = gateway;
    let says = format!(
        "Gateway {namespace}/{name} takes VirtualServices of certain namespaces only, and not its route in {}",
        route.namespace
    );
    let mend = format!(
        "kubectl edit -n {namespace} gateways.networking.istio.io {name}, and add {}/HOST to `hosts`",
        route.namespace
    );
    Some(Finding::warning("openfaas-route", subject.in_words()).says(says, mend))
}

/// Whether one of its servers has a host for VirtualServices of this namespace.
fn takes_from(gateway: &Object, namespace: &str) -> bool {
    let servers = gateway.spec.get("servers").and_then(Value::as_array).into_iter().flatten();
    let mut hosts = servers.filter_map(|server| server.get("hosts")?.as_array()).flatten();
    hosts.any(|host| match host.as_str().and_then(|host| host.split_once('/')) {
        None | Some(("*", _)) => true,
        Some((".", _)) => gateway.namespace == namespace,
        Some((named, _)) => named == namespace,
    })
}

/// It asks for none.
fn past_the_mesh(subject: &Subject) -> Option<Finding> {
    let gateway = subject.openfaas.as_ref()?;
    if subject.policy().is_err() || subject.function.annotations.contains_key(ROUTE) {
        return None;
    }
    let says = format!(
        "its calls through OpenFaaS' gateway {} go to pods past the mesh, where nothing protects them",
        gateway.in_words()
    );
    let mend = format!("{} {ROUTE}={BY_GATEWAY}", subject.kubectl("annotate"));
    Some(Finding::warning("openfaas-route", subject.in_words()).says(says, mend))
}
