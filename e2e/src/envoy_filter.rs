//! An EnvoyFilter written by hand: what `steadfaas standalone` configures for a plain Envoy, as patches of what istiod
//! configures for its gateways or sidecars.

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cluster::kubectl::Kubectl;
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

/// Fields of a standalone route that say how its requests are tried again. That they hedge, the filter says with each.
const ROUTE_FIELDS: [&str; 1] = ["retry_policy"];

/// Where a cluster says how it speaks to its replicas. A patch replaces all of it, and Envoy refuses it without a protocol.
const PROTOCOL_OPTIONS: &str =
    "/typed_extension_protocol_options/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// Where the filter is told what routes say, as a text of its own.
const CONFIGURATION: &str = "/typed_config/config/configuration/value";

/// How long a caller's sidecar tries to connect. Between sidecars that includes a TLS handshake, and when the active replica
/// dies a connection for each request in flight is opened to the standby at once: with the 100 ms that are rendered for
/// plain connections, 1 to 4 of 1200 requests failed on two cores that 17 programs wanted.
const CALLERS_CONNECT_TIMEOUT: &str = "0.5s";

/// What all of them carry: `kubectl delete` finds them by it.
const LABEL: &str = "app.kubernetes.io/managed-by=steadfaas-e2e";

/// A Service whose requests are to be protected.
#[derive(Debug, Clone, Copy)]
pub struct Protected<'a> {
    /// Its name.
    pub service: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// The proxies that protect it.
    pub proxies: Proxies,
    /// The name of the route, in its VirtualService; where routes have none, its cluster gets the retry policy.
    pub route: Option<&'a str>,
    /// The keys that an entry of a functions file would have.
    pub keys: &'a [&'a str],
}

/// Which of the mesh's proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxies {
    /// The gateways.
    Gateways,
    /// The sidecars of callers. A function's own sidecar must not be meant: its cluster has no load balancing.
    Callers,
}

impl Proxies {
    /// The label of their pods: others in the mesh have nothing to do with a trial.
    fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Gateways => ("istio", "ingressgateway"),
            Self::Callers => ("app", "caller"),
        }
    }

    /// As EnvoyFilters call them.
    fn context(self) -> &'static str {
        match self {
            Self::Gateways => "GATEWAY",
            Self::Callers => "SIDECAR_OUTBOUND",
        }
    }
}

/// The EnvoyFilter.
///
/// # Errors
/// `steadfaas` can't be had, or refuses the keys.
pub fn render(protected: &Protected<'_>) -> anyhow::Result<Value> {
    let keys: String = protected.keys.iter().map(|key| format!("  {key}\n")).collect();
    // istiod tells the proxies where the replicas are: those of this file are left out again.
    let replicas = "replicas: [192.0.2.1:80, 192.0.2.2:80]";
    let bootstrap =
        shipped::render(&format!("functions:\n- name: {}\n  {replicas}\n{keys}", protected.service))?;
    from_bootstrap(protected, &bootstrap)
}

/// Removes all of them.
///
/// # Errors
/// The cluster refuses.
pub fn remove(kubectl: &Kubectl) -> anyhow::Result<()> {
    let selector = format!("--selector={LABEL}");
    kubectl.run(&["delete", "envoyfilters", "--all-namespaces", &selector]).map(drop)
}

fn from_bootstrap(protected: &Protected<'_>, bootstrap: &Value) -> anyhow::Result<Value> {
    let part = |path: &str| bootstrap.pointer(path).with_context(|| format!("the bootstrap has no {path}"));
    let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    let mut cluster = only(&CLUSTER_FIELDS, part("/static_resources/clusters/0")?);
    let route = only(&ROUTE_FIELDS, part(&format!("{manager}/route_config/virtual_hosts/0/routes/0/route"))?);
    let mut filter = part(&format!("{manager}/http_filters/0"))?.clone();
    let (service, namespace) = (protected.service, protected.namespace);
    if protected.proxies == Proxies::Callers {
        *cluster.pointer_mut("/connect_timeout").context("the cluster has no connect timeout")? =
            CALLERS_CONNECT_TIMEOUT.into();
    }
    // Routes stay the mesh's own.
    let configuration = filter.pointer_mut(CONFIGURATION).context("the filter has no configuration")?;
    let mut said: Value = serde_json::from_str(configuration.as_str().unwrap_or_default())?;
    said.as_object_mut().context("the filter's configuration is no object")?.remove("own_routes");
    *configuration = said.to_string().into();
    if protected.route.is_none() {
        let retried = cluster.pointer_mut(PROTOCOL_OPTIONS).and_then(Value::as_object_mut);
        let policy = route.get("retry_policy").context("the route has no retry policy")?;
        retried.context("the cluster has no protocol")?.insert("retry_policy".to_owned(), policy.clone());
    }
    let (label, manager) = LABEL.split_once('=').context("a label has a value")?;
    let host = format!("{service}.{namespace}.svc.cluster.local");
    let proxies = protected.proxies;
    let (which, whose) = proxies.label();
    let mut patches =
        vec![patch("CLUSTER", "MERGE", proxies, json!({ "cluster": { "service": host } }), &cluster)];
    if let Some(name) = protected.route {
        let named = json!({ "routeConfiguration": { "vhost": { "route": { "name": name } } } });
        patches.push(patch("HTTP_ROUTE", "MERGE", proxies, named, &json!({ "route": route })));
    }
    let router = json!({ "listener": { "filterChain": { "filter": {
        "name": "envoy.filters.network.http_connection_manager",
        "subFilter": { "name": "envoy.filters.http.router" },
    } } } });
    patches.push(patch("HTTP_FILTER", "INSERT_BEFORE", proxies, router, &filter));
    Ok(json!({
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {
            "name": format!("steadfaas-{service}"),
            "namespace": "istio-system",
            "labels": { label: manager },
        },
        "spec": { "workloadSelector": { "labels": { which: whose } }, "configPatches": patches },
    }))
}

fn patch(what: &str, operation: &str, proxies: Proxies, mut matched: Value, value: &Value) -> Value {
    if let Value::Object(fields) = &mut matched {
        fields.insert("context".to_owned(), proxies.context().into());
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

    fn protected(proxies: Proxies, route: Option<&str>) -> Protected<'_> {
        Protected { service: "fib", namespace: "default", proxies, route, keys: &[] }
    }

    fn patches(protected: &Protected<'_>) -> Vec<Value> {
        let options = json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "explicit_http_config": { "http_protocol_options": {} },
        } });
        let bootstrap = json!({ "static_resources": {
            "clusters": [{ "name": "fib", "connect_timeout": "0.1s", "typed_extension_protocol_options": options }],
            "listeners": [{ "filter_chains": [{ "filters": [{ "typed_config": {
                "http_filters": [{ "typed_config": { "config": { "configuration": {
                    "value": r#"{"own_routes":true,"response_header":true}"#,
                } } } }],
                "route_config": { "virtual_hosts": [{ "routes": [{ "route": {
                    "cluster": "fib", "timeout": "0s", "retry_policy": { "num_retries": 2 },
                } }] }] },
            } }] }] }],
        } });
        let filter = from_bootstrap(protected, &bootstrap).unwrap();
        filter["spec"]["configPatches"].as_array().unwrap().clone()
    }

    #[test]
    fn a_gateway_gets_how_replicas_are_used_and_not_who_they_are() {
        let patches = patches(&protected(Proxies::Gateways, Some("all")));
        assert_eq!(patches[0]["match"]["cluster"]["service"], "fib.default.svc.cluster.local");
        assert_eq!(patches[0]["patch"]["value"]["connect_timeout"], "0.1s");
        assert!(patches[0]["patch"]["value"].get("name").is_none());
        assert!(
            patches[0]["patch"]["value"].pointer(PROTOCOL_OPTIONS).unwrap().get("retry_policy").is_none()
        );
        assert_eq!(patches[1]["match"]["routeConfiguration"]["vhost"]["route"]["name"], "all");
        let retried = json!({ "route": { "retry_policy": { "num_retries": 2 } } });
        assert_eq!(patches[1]["patch"]["value"], retried);
        let said = patches[2]["patch"]["value"].pointer(CONFIGURATION).unwrap();
        assert_eq!(said, r#"{"response_header":true}"#);
        assert!(patches.iter().all(|patch| patch["match"]["context"] == "GATEWAY"));
    }

    #[test]
    fn without_named_routes_the_cluster_says_how_requests_are_tried_again_beside_its_protocol() {
        let patches = patches(&protected(Proxies::Callers, None));
        assert_eq!(patches.len(), 2);
        let options = patches[0]["patch"]["value"].pointer(PROTOCOL_OPTIONS).unwrap();
        assert_eq!(options["retry_policy"], json!({ "num_retries": 2 }));
        assert!(options.get("explicit_http_config").is_some());
        assert_eq!(patches[0]["patch"]["value"]["connect_timeout"], CALLERS_CONNECT_TIMEOUT);
        let said = patches[1]["patch"]["value"].pointer(CONFIGURATION).unwrap();
        assert_eq!(said, r#"{"response_header":true}"#);
        assert!(patches.iter().all(|patch| patch["match"]["context"] == "SIDECAR_OUTBOUND"));
    }
}
