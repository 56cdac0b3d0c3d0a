//! Is there a gateway that steadfaas' EnvoyFilters and the function's routes lead to?

use std::collections::BTreeMap;

use serde_json::Value;

use super::Finding;
use super::routes::routes_to;
use crate::facts::{Facts, Object, Subject};
use crate::proxy::{Proxy, Role};

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    let unselected = facts.subjects.iter().flat_map(|subject| without_pods(facts, subject));
    unselected.chain(out_of_reach(facts)).collect()
}

/// A Gateway that the function's routes name, and whose selector no pod fits.
fn without_pods(facts: &Facts, subject: &Subject) -> Vec<Finding> {
    let mut named: Vec<&Object> = routes_to(facts, subject)
        .flat_map(|(object, _)| gateways_of(facts, object))
        .filter(|gateway| !proxies(facts).any(|proxy| fits(gateway.spec.get("selector"), &proxy.labels)))
        .collect();
    named.sort_by_key(|gateway| (&gateway.namespace, &gateway.name));
    named.dedup_by_key(|gateway| (&gateway.namespace, &gateway.name));
    named.into_iter().map(|gateway| no_pods(subject, gateway)).collect()
}

fn no_pods(subject: &Subject, gateway: &Object) -> Finding {
    let Object { namespace, name, spec, .. } = gateway;
    let selector = in_words(spec.get("selector"));
    let says = format!(
        "its route goes through Gateway {namespace}/{name}, whose selector `{selector}` fits no running gateway pod"
    );
    let mend = format!(
        "kubectl edit -n {namespace} gateways.networking.istio.io {name}, or label the gateway's pods {selector}"
    );
    Finding::problem("gateway-without-pods", subject.in_words()).says(says, mend)
}

/// Gateway pods that an EnvoyFilter of ours doesn't select.
fn out_of_reach(facts: &Facts) -> impl Iterator<Item = Finding> {
    let ours = facts.envoy_filters.iter().filter(|object| object.is_ours());
    let selecting =
        ours.filter_map(|object| Some((object, object.spec.pointer("/workloadSelector/labels")?)));
    selecting.flat_map(|(object, selector)| {
        let missed = proxies(facts).filter(move |proxy| !fits(Some(selector), &proxy.labels));
        missed.map(move |proxy| missing(object, proxy))
    })
}

fn missing(object: &Object, proxy: &Proxy) -> Finding {
    let Object { namespace, name, .. } = object;
    let says = format!(
        "EnvoyFilter {namespace}/{name} selects workloads, and not this gateway: nothing is protected through it"
    );
    let mend = "steadfaas install".to_owned();
    Finding::problem("gateway-not-selected", format!("gateway {}", proxy.in_words())).says(says, mend)
}

/// The Gateways that a VirtualService names; `mesh` stands for the sidecars.
pub(super) fn gateways_of<'a>(facts: &'a Facts, service: &'a Object) -> impl Iterator<Item = &'a Object> {
    let names = service
        .spec
        .get("gateways")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    names.filter_map(|name| {
        let (namespace, name) = name.split_once('/').unwrap_or((&service.namespace, name));
        facts.gateways.iter().find(|gateway| gateway.namespace == namespace && gateway.name == name)
    })
}

fn proxies(facts: &Facts) -> impl Iterator<Item = &Proxy> {
    facts.proxies.iter().map(|asked| &asked.proxy).filter(|proxy| proxy.role == Role::Gateway)
}

/// Every label of the selector is there; one that selects nothing in particular fits all.
fn fits(selector: Option<&Value>, labels: &BTreeMap<String, String>) -> bool {
    let wanted = selector.and_then(Value::as_object).into_iter().flatten();
    wanted.into_iter().all(|(key, value)| labels.get(key).map(String::as_str) == value.as_str())
}

fn in_words(selector: Option<&Value>) -> String {
    let labels = selector.and_then(Value::as_object).into_iter().flatten();
    let labels: Vec<String> = labels
        .into_iter()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    labels.join(",")
}
