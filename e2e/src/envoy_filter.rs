//! An EnvoyFilter written by hand: what `steadfaas standalone` configures for a plain Envoy, as patches of what istiod
//! configures for its gateways.

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::shipped;

/// Fields of a standalone cluster that say how its replicas are used; the others say who they are, which istiod knows.
/// Of lists, as of circuit breakers' thresholds, istiod's entry would come first and count.
const CLUSTER_FIELDS: [&str; 5] = [
    "connect_timeout",
    "load_balancing_policy",
    "common_lb_config",
    "metadata",
    "typed_extension_protocol_options",
];

/// Fields of a standalone route that say how its requests are tried again.
const ROUTE_FIELDS: [&str; 2] = ["retry_policy", "hedge_policy"];

/// What all of them carry: `kubectl delete` finds them by it.
pub const LABEL: &str = "app.kubernetes.io/managed-by=steadfaas-e2e";

/// A Service whose requests are to be protected.
#[derive(Debug, Clone, Copy)]
pub struct Protected<'a> {
    /// Its name.
    pub service: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// The name of the route, in its VirtualService.
    pub route: &'a str,
    /// The keys that an entry of a functions file would have.
    pub keys: &'a [&'a str],
}

/// The EnvoyFilter for the gateways.
///
/// # Errors
/// `steadfaas` can't be had, or refuses the keys.
pub fn for_gateway(protected: &Protected<'_>) -> anyhow::Result<Value> {
    let keys: String = protected.keys.iter().map(|key| format!("  {key}\n")).collect();
    // istiod tells the proxies where the replicas are: those of this file are left out again.
    let replicas = "replicas: [192.0.2.1:80, 192.0.2.2:80]";
    let bootstrap =
        shipped::render(&format!("functions:\n- name: {}\n  {replicas}\n{keys}", protected.service))?;
    from_bootstrap(protected, &bootstrap)
}

fn from_bootstrap(protected: &Protected<'_>, bootstrap: &Value) -> anyhow::Result<Value> {
    let part = |path: &str| bootstrap.pointer(path).with_context(|| format!("the bootstrap has no {path}"));
    let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    let cluster = only(&CLUSTER_FIELDS, part("/static_resources/clusters/0")?);
    let route = only(&ROUTE_FIELDS, part(&format!("{manager}/route_config/virtual_hosts/0/routes/0/route"))?);
    let filter = part(&format!("{manager}/http_filters/0"))?;
    let (service, namespace) = (protected.service, protected.namespace);
    let (label, manager) = LABEL.split_once('=').context("a label has a value")?;
    let host = format!("{service}.{namespace}.svc.cluster.local");
    Ok(json!({
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {
            "name": format!("steadfaas-{service}"),
            "namespace": "istio-system",
            "labels": { label: manager },
        },
        "spec": { "workloadSelector": { "labels": { "istio": "ingressgateway" } }, "configPatches": [
            patch("CLUSTER", "MERGE", json!({ "cluster": { "service": host } }), &cluster),
            patch(
                "HTTP_ROUTE",
                "MERGE",
                json!({ "routeConfiguration": { "vhost": { "route": { "name": protected.route } } } }),
                &json!({ "route": route }),
            ),
            patch(
                "HTTP_FILTER",
                "INSERT_BEFORE",
                json!({ "listener": { "filterChain": { "filter": {
                    "name": "envoy.filters.network.http_connection_manager",
                    "subFilter": { "name": "envoy.filters.http.router" },
                } } } }),
                filter,
            ),
        ] },
    }))
}

fn patch(what: &str, operation: &str, mut matched: Value, value: &Value) -> Value {
    if let Value::Object(fields) = &mut matched {
        fields.insert("context".to_owned(), "GATEWAY".into());
    }
    json!({ "applyTo": what, "match": matched, "patch": { "operation": operation, "value": value } })
}

/// The object with no more than these fields.
fn only(fields: &[&str], object: &Value) -> Value {
    let kept = fields.iter().filter_map(|field| Some(((*field).to_owned(), object.get(field)?.clone())));
    Value::Object(kept.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_gets_how_replicas_are_used_and_not_who_they_are() {
        let bootstrap = json!({ "static_resources": {
            "clusters": [{ "name": "fib", "type": "STATIC", "connect_timeout": "0.1s", "metadata": {} }],
            "listeners": [{ "filter_chains": [{ "filters": [{ "typed_config": {
                "http_filters": [{ "name": "steadfaas" }],
                "route_config": { "virtual_hosts": [{ "routes": [{ "route": {
                    "cluster": "fib", "timeout": "0s", "retry_policy": { "num_retries": 2 },
                } }] }] },
            } }] }] }],
        } });
        let protected = Protected { service: "fib", namespace: "default", route: "all", keys: &[] };
        let filter = from_bootstrap(&protected, &bootstrap).unwrap();
        let patches = &filter["spec"]["configPatches"];
        assert_eq!(patches[0]["match"]["cluster"]["service"], "fib.default.svc.cluster.local");
        assert_eq!(patches[0]["patch"]["value"], json!({ "connect_timeout": "0.1s", "metadata": {} }));
        assert_eq!(
            patches[1]["patch"]["value"],
            json!({ "route": { "retry_policy": { "num_retries": 2 } } })
        );
        assert_eq!(patches[2]["patch"]["value"], json!({ "name": "steadfaas" }));
        for patch in patches.as_array().unwrap() {
            assert_eq!(patch["match"]["context"], "GATEWAY");
        }
    }
}
