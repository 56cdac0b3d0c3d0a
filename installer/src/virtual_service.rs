//! VirtualServices that lead calls of OpenFaaS' gateway to functions' own Services, past that gateway.
//!
//! Istio heeds one VirtualService for a host within the mesh, so that one has all functions, and the gateway behind them. At
//! an ingress gateway it puts the routes of all of a host together, oldest first and those without a match last: ours stands
//! beside the one by which somebody leads a host to OpenFaaS' gateway.
//!
//! They are in istiod's root namespace, as our EnvoyFilters are.

use kube::discovery::ApiResource;
use serde_json::{Map, Value, json};

use crate::envoy_filter::{OWNER_NAMESPACE, PART, goes_with, name_of};
use crate::function::{Function, Upstream, full_name};

/// The label's value on them.
pub const PART_ROUTE: &str = "route";

/// What Istio calls sidecars where it asks for a Gateway.
pub const MESH: &str = "mesh";

/// A place where calls of OpenFaaS' gateway come in.
#[derive(Debug, Clone, PartialEq)]
pub struct Entrance {
    /// Tells it from others of the same functions.
    pub name: String,
    /// The hosts of those calls.
    pub hosts: Vec<String>,
    /// The Gateways where they come in, or [`MESH`].
    pub gateways: Vec<String>,
    /// What else is to be done with them there: fields of a route.
    pub fields: Map<String, Value>,
    /// Where all other calls of the hosts go; none where somebody else says so.
    pub others: Option<String>,
}

impl Entrance {
    /// What the VirtualService for functions of this namespace is called.
    #[must_use]
    pub fn object_name(&self, namespace: &str) -> String {
        name_of(namespace, PART_ROUTE, &self.name)
    }

    /// The VirtualService that leads to these functions of one namespace, as server-side apply takes it. `extension`: the
    /// UID of the EnvoyFilter with which it goes.
    #[must_use]
    pub fn render(
        &self,
        namespace: &str,
        functions: &[&Function],
        root_namespace: &str,
        extension: &str,
    ) -> Value {
        let resource = resource();
        let ours = functions.iter().filter_map(|function| self.route(function, function.upstreams.first()?));
        let others = self.others.iter().map(|host| json!({ "route": to(host, None) }));
        json!({
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {
                "name": self.object_name(namespace),
                "namespace": root_namespace,
                "labels": { (PART): PART_ROUTE, (OWNER_NAMESPACE): namespace },
                "ownerReferences": [goes_with(extension)],
            },
            "spec": {
                "hosts": self.hosts,
                "gateways": self.gateways,
                // Whatever the mesh has for a default.
                "exportTo": ["*"],
                "http": ours.chain(others).collect::<Vec<_>>(),
            },
        })
    }

    /// As OpenFaaS' gateway does it: the function's name, with its namespace or without, is cut off the path.
    fn route(&self, function: &Function, upstream: &Upstream) -> Option<Value> {
        let matches: Vec<Value> = paths(function)
            .into_iter()
            .flat_map(|path| [json!({ "exact": path }), json!({ "prefix": format!("{path}/") })])
            .map(|uri| json!({ "uri": uri }))
            .collect();
        let mut route = json!({
            "name": function.name,
            "match": matches,
            "rewrite": { "uri": "/" },
            "route": to(&upstream.host, Some(upstream.port)),
        });
        route.as_object_mut()?.extend(self.fields.clone());
        Some(route)
    }
}

/// Where OpenFaaS' gateway takes calls of a function.
#[must_use]
pub fn paths(function: &Function) -> [String; 2] {
    let path = format!("/function/{}", function.name);
    [path.clone(), format!("{path}.{}", function.namespace)]
}

fn to(host: &str, port: Option<u16>) -> Value {
    let mut destination = json!({ "host": host });
    if let (Some(port), Value::Object(fields)) = (port, &mut destination) {
        fields.insert("port".to_owned(), json!({ "number": port }));
    }
    json!([{ "destination": destination }])
}

/// The kind `VirtualService`.
#[must_use]
pub fn resource() -> ApiResource {
    ApiResource {
        group: "networking.istio.io".to_owned(),
        version: "v1".to_owned(),
        api_version: "networking.istio.io/v1".to_owned(),
        kind: "VirtualService".to_owned(),
        plural: "virtualservices".to_owned(),
    }
}

/// The host that an object of Istio in this namespace means: a name without dots is a Service beside it.
pub(crate) fn resolve(host: &str, namespace: &str, domain: &str) -> String {
    if host.contains('.') || host == "*" { host.to_owned() } else { full_name(host, namespace, domain) }
}

/// `*.default.svc.cluster.local` covers all Services of a namespace.
pub(crate) fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(end) => host.ends_with(end),
        None => pattern == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::fixtures::routed;

    #[test]
    fn everything_that_istiod_is_told_of_calls_within_the_mesh() {
        let gateway = "gateway.openfaas.svc.cluster.local".to_owned();
        let entrance = Entrance {
            name: MESH.to_owned(),
            hosts: vec![gateway.clone()],
            gateways: vec![MESH.to_owned()],
            fields: Map::new(),
            others: Some(gateway),
        };
        insta::assert_yaml_snapshot!(entrance.render(
            "openfaas-fn",
            &[&routed("fib"), &routed("other")],
            "istio-system",
            "of-the-extension",
        ));
    }

    #[test]
    fn what_an_ingress_does_with_calls_is_done_with_those_that_are_led_past() {
        let fields = json!({ "timeout": "5s", "corsPolicy": { "allowOrigins": [{ "exact": "https://example.com" }] } });
        let entrance = Entrance {
            name: "openfaas.gateway".to_owned(),
            hosts: vec!["openfaas.example.com".to_owned()],
            gateways: vec!["openfaas/gateway".to_owned()],
            fields: fields.as_object().unwrap().clone(),
            others: None,
        };
        let rendered = entrance.render("openfaas-fn", &[&routed("fib")], "istio-system", "of-the-extension");
        assert_eq!(rendered["metadata"]["name"], "steadfaas.openfaas-fn.route.openfaas.gateway");
        let routes = rendered["spec"]["http"].as_array().unwrap();
        assert_eq!((routes.len(), &routes[0]["timeout"]), (1, &json!("5s")));
        assert!(routes[0]["corsPolicy"].is_object());
    }
}
