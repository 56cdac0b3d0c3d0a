//! Which replicas are ready, as EndpointSlices say.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::ResourceExt as _;

use crate::function::{Function, Platform};

/// On an EndpointSlice: the Service that it is of.
const SERVICE: &str = "kubernetes.io/service-name";

/// The addresses of ready replicas, by Service, in one namespace.
#[derive(Debug, Clone, Default)]
pub(super) struct Endpoints<'a> {
    ready: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Endpoints<'a> {
    pub(super) fn of(slices: impl IntoIterator<Item = &'a EndpointSlice>) -> Self {
        let mut ready: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for slice in slices {
            let Some(service) = slice.labels().get(SERVICE) else { continue };
            // No word on it means ready.
            let is_ready = |ready: Option<bool>| ready.unwrap_or(true);
            let ones = slice.endpoints.iter().filter(|endpoint| {
                is_ready(endpoint.conditions.as_ref().and_then(|conditions| conditions.ready))
            });
            let addresses = ones.flat_map(|endpoint| &endpoint.addresses).map(String::as_str);
            ready.entry(service).or_default().extend(addresses);
        }
        Self { ready }
    }

    /// How many more replicas of the function may fail, `most` at most: of several revisions, of the one with the fewest.
    pub(super) fn redundancy(&self, function: &Function, most: u8) -> u8 {
        let shares = function.upstreams.iter().filter(|upstream| upstream.takes_share);
        let replicas =
            shares.map(|upstream| self.of_service(&upstream.pods_service).len()).min().unwrap_or_default();
        u8::try_from(replicas.saturating_sub(1)).map_or(most, |spare| spare.min(most))
    }

    /// Whether Knative's activator stands between proxies and pods.
    pub(super) fn has_activator(&self, function: &Function) -> bool {
        let shares = function.upstreams.iter().filter(|upstream| upstream.takes_share);
        function.platform == Platform::Knative
            && shares.into_iter().any(|upstream| {
                let pods = self.of_service(&upstream.pods_service);
                self.of_service(&upstream.service).iter().any(|address| !pods.contains(address))
            })
    }

    fn of_service(&self, service: &str) -> &BTreeSet<&'a str> {
        static NONE: BTreeSet<&str> = BTreeSet::new();
        self.ready.get(service).unwrap_or(&NONE)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::function::fixtures::{knative_service, object, protected, service};
    use crate::function::{DEFAULT_DOMAIN, Objects, functions};

    fn slice(service: &str, endpoints: &[(&str, bool)]) -> EndpointSlice {
        let endpoints: Vec<Value> = endpoints
            .iter()
            .map(|(address, ready)| json!({ "addresses": [address], "conditions": { "ready": ready } }))
            .collect();
        let metadata = json!({ "name": service, "labels": { (SERVICE): service } });
        object(json!({ "metadata": metadata, "addressType": "IPv4", "endpoints": endpoints, "ports": [] }))
    }

    fn plain() -> Function {
        let service = object(service("fib", json!({}), protected()));
        functions(&Objects { services: vec![&service], ..Objects::default() }, DEFAULT_DOMAIN).remove(0)
    }

    fn knative(revisions: &[&str]) -> Function {
        let service = object(knative_service("fib", "fib-00009", revisions, protected()));
        functions(&Objects { knative: vec![&service], ..Objects::default() }, DEFAULT_DOMAIN).remove(0)
    }

    #[test]
    fn redundancy_is_how_many_ready_replicas_may_fail_up_to_what_is_asked_for() {
        let ready = |count: usize| {
            let all = [("10.0.0.1", true), ("10.0.0.2", true), ("10.0.0.3", true), ("10.0.0.4", false)];
            let slice = slice("fib", &all[3 - count..]);
            Endpoints::of([&slice]).redundancy(&plain(), 1)
        };
        assert_eq!([0, 1, 2, 3].map(ready), [0, 0, 1, 1]);
        assert_eq!(Endpoints::default().redundancy(&plain(), 1), 0);
    }

    #[test]
    fn of_revisions_that_share_the_requests_the_one_with_the_fewest_replicas_counts() {
        let two = slice("fib-00001-private", &[("10.0.0.1", true), ("10.0.0.2", true)]);
        let one = slice("fib-00002-private", &[("10.0.0.3", true)]);
        let endpoints = Endpoints::of([&two, &one]);
        assert_eq!(endpoints.redundancy(&knative(&["fib-00001"]), 2), 1, "the newest has no share yet");
        assert_eq!(endpoints.redundancy(&knative(&["fib-00001", "fib-00002"]), 2), 0);
    }

    #[test]
    fn an_address_that_is_no_pod_of_the_revision_is_an_activator() {
        let pods = slice("fib-00001-private", &[("10.0.0.1", true)]);
        let same = slice("fib-00001", &[("10.0.0.1", true)]);
        let other = slice("fib-00001", &[("10.9.9.9", true)]);
        assert!(!Endpoints::of([&pods, &same]).has_activator(&knative(&["fib-00001"])));
        assert!(Endpoints::of([&pods, &other]).has_activator(&knative(&["fib-00001"])));
    }
}
