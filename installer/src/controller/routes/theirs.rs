//! VirtualServices as there are, as far as they say where calls of OpenFaaS' gateway go.

use kube::ResourceExt as _;
use kube::core::{NotUsed, Object};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::controller::filters::Spec;
use crate::virtual_service::{MESH, covers, resolve};

/// A VirtualService.
pub(in crate::controller) type VirtualService = Object<Routes, NotUsed>;

/// What a route to OpenFaaS' gateway does beside leading there, and is done for functions as well.
const KEPT: [&str; 3] = ["corsPolicy", "headers", "timeout"];

/// Parts of a match that say nothing about calls but their path.
const PATH: [&str; 2] = ["uri", "name"];

/// What a VirtualService says.
#[derive(Debug, Clone, Default, Serialize)]
pub(in crate::controller) struct Routes {
    /// To tell whether one of ours is as it should be.
    digest: Spec,
    hosts: Vec<String>,
    gateways: Vec<String>,
    http: Vec<Value>,
}

impl AsRef<Spec> for Routes {
    fn as_ref(&self) -> &Spec {
        &self.digest
    }
}

impl<'de> Deserialize<'de> for Routes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The API server also takes one without any, and one that can't be read would end the watch.
        let spec = Option::<Value>::deserialize(deserializer)?.unwrap_or_default();
        let list = |key: &str| spec.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let texts =
            |key: &str| list(key).iter().filter_map(|entry| Some(entry.as_str()?.to_owned())).collect();
        Ok(Self {
            digest: Spec::of(&spec),
            hosts: texts("hosts"),
            gateways: texts("gateways"),
            http: list("http"),
        })
    }
}

/// Where a VirtualService leads calls of a function.
#[derive(Debug, PartialEq)]
pub(super) enum Leads<'a> {
    /// Not to OpenFaaS' gateway.
    Elsewhere,
    /// There, by a route that has a match: Istio puts ours behind it.
    Otherwise,
    /// There, with all that no other route takes: Istio puts ours before it.
    ByDefault(&'a Value),
}

/// Where calls with one of these paths go that Gateways of the VirtualService take. `host` is that of OpenFaaS' gateway.
pub(super) fn leads<'a>(object: &'a VirtualService, paths: &[String], host: &str, domain: &str) -> Leads<'a> {
    let mut otherwise = Leads::Elsewhere;
    for route in &object.spec.http {
        let leads_there = leads_to(object, route, host, domain);
        for (takes, is_conditional) in ways_in(route, paths) {
            match (takes, is_conditional, leads_there) {
                (Takes::Nothing, ..) => {}
                (Takes::All, false, true) => return Leads::ByDefault(route),
                (Takes::Path, false, true) => return Leads::Otherwise,
                // Some calls are taken there before ours, as they would be before this one's other routes.
                (_, _, true) => otherwise = Leads::Otherwise,
                (Takes::All | Takes::Path, false, false) => return otherwise,
                (_, _, false) => {}
            }
        }
    }
    otherwise
}

/// Which calls of a function a match takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// None.
    Nothing,
    /// Some, as far as can be told.
    Some,
    /// All of the function, and not all others.
    Path,
    /// Every call.
    All,
}

/// Each match of a route: what it takes by path, and whether it asks for more than that.
fn ways_in(route: &Value, paths: &[String]) -> Vec<(Takes, bool)> {
    let matches = route.get("match").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if matches.is_empty() {
        return vec![(Takes::All, false)];
    }
    let is_conditional = |entry: &Value| {
        let fields = entry.as_object().into_iter().flatten();
        fields.into_iter().any(|(key, _)| !PATH.contains(&key.as_str()))
    };
    matches.iter().map(|entry| (takes(entry.get("uri"), paths), is_conditional(entry))).collect()
}

fn takes(uri: Option<&Value>, paths: &[String]) -> Takes {
    let Some(uri) = uri else { return Takes::All };
    let text = |key: &str| uri.get(key).and_then(Value::as_str);
    match (text("prefix"), text("exact"), text("regex")) {
        (Some("/"), ..) | (_, _, Some(".*")) => Takes::All,
        (Some(prefix), ..) => {
            let taken = paths.iter().filter(|path| format!("{path}/").starts_with(prefix)).count();
            match taken {
                0 => Takes::Nothing,
                all if all == paths.len() => Takes::Path,
                _ => Takes::Some,
            }
        }
        (_, Some(exact), _) if !paths.iter().any(|path| path == exact) => Takes::Nothing,
        _ => Takes::Some,
    }
}

/// All calls that the route takes go there, with the path that they have.
fn leads_to(object: &VirtualService, route: &Value, host: &str, domain: &str) -> bool {
    let namespace = object.namespace().unwrap_or_default();
    let is_there = |entry: &Value| {
        let destination = entry.pointer("/destination/host").and_then(Value::as_str);
        destination.is_some_and(|destination| resolve(destination, &namespace, domain) == host)
    };
    let rewrites = ["/rewrite/uri", "/rewrite/uriRegexRewrite"];
    let destinations = route.get("route").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    !destinations.is_empty()
        && destinations.iter().all(is_there)
        && !rewrites.iter().any(|rewrite| route.pointer(rewrite).is_some())
}

/// What is to be done for functions as well.
pub(super) fn kept(route: &Value) -> Map<String, Value> {
    let fields = KEPT.iter().filter_map(|key| Some(((*key).to_owned(), route.get(key)?.clone())));
    fields.collect()
}

/// Whether Istio heeds it for this host within the mesh.
pub(super) fn is_for_mesh(object: &VirtualService, host: &str, domain: &str) -> bool {
    let gateways = &object.spec.gateways;
    let is_in_mesh = gateways.is_empty() || gateways.iter().any(|gateway| gateway == MESH);
    is_in_mesh && hosts(object, domain).any(|own| covers(&own, host))
}

/// Its hosts, as another namespace has to name them.
pub(super) fn hosts(object: &VirtualService, domain: &str) -> impl Iterator<Item = String> {
    let namespace = object.namespace().unwrap_or_default();
    object.spec.hosts.iter().map(move |host| resolve(host, &namespace, domain))
}

/// The Gateways that it is bound to, as another namespace has to name them.
pub(super) fn gateways(object: &VirtualService) -> Vec<String> {
    let namespace = object.namespace().unwrap_or_default();
    let bound = object.spec.gateways.iter().filter(|gateway| *gateway != MESH);
    let named = bound.map(|gateway| match gateway.strip_prefix("./").unwrap_or(gateway) {
        // With dots it has its namespace behind them.
        whole if whole.contains('/') || whole.contains('.') => whole.to_owned(),
        name => format!("{namespace}/{name}"),
    });
    named.collect()
}

/// Whether one of ours has a route for this function.
pub(super) fn names(object: &VirtualService, function: &str) -> bool {
    object.spec.http.iter().any(|route| route.get("name").and_then(Value::as_str) == Some(function))
}

/// As messages call it.
pub(super) fn in_words(object: &VirtualService) -> String {
    format!("VirtualService {}/{}", object.namespace().unwrap_or_default(), object.name_any())
}

impl Routes {
    /// Forgets what can't concern OpenFaaS' gateway, whose Service is called `gateway`.
    pub(in crate::controller) fn slim(&mut self) {
        let names_it = |route: &Value| route.to_string().contains("\"gateway");
        if !self.http.iter().any(names_it) {
            self.http.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::function::DEFAULT_DOMAIN;

    const HOST: &str = "gateway.openfaas.svc.cluster.local";

    /// What is found of a VirtualService in `openfaas` with these routes, each with its match and destination.
    fn found(routes: &[(Value, &str)]) -> &'static str {
        let http = routes.iter().map(
            |(matched, host)| json!({ "match": matched, "route": [{ "destination": { "host": host } }] }),
        );
        let object = json!({
            "metadata": { "name": "theirs", "namespace": "openfaas" },
            "spec": { "hosts": ["a.example.com"], "http": http.collect::<Vec<_>>() },
        });
        let object: VirtualService = serde_json::from_value(object).unwrap();
        let paths = ["/function/fib", "/function/fib.openfaas-fn"].map(str::to_owned);
        match leads(&object, &paths, HOST, DEFAULT_DOMAIN) {
            Leads::Elsewhere => "elsewhere",
            Leads::Otherwise => "otherwise",
            Leads::ByDefault(_) => "by default",
        }
    }

    #[test]
    fn the_first_route_that_takes_all_calls_of_the_function_decides() {
        let (all, uri) = (json!([]), |kind: &str, text: &str| json!([{ "uri": { kind: text } }]));
        let canary = || json!([{ "headers": { "x": { "exact": "1" } } }]);
        let cases = [
            ("by default", vec![(all.clone(), "gateway")]),
            ("by default", vec![(uri("prefix", "/"), HOST)]),
            ("by default", vec![(uri("regex", ".*"), "gateway")]),
            ("by default", vec![(uri("prefix", "/function/other"), "gateway"), (all.clone(), "gateway")]),
            ("by default", vec![(canary(), "gateway"), (all.clone(), "gateway")]),
            ("by default", vec![(uri("exact", "/function/fib"), "shop"), (all.clone(), "gateway")]),
            ("by default", vec![(uri("regex", "/f.*"), "gateway"), (all.clone(), "gateway")]),
            ("otherwise", vec![(uri("prefix", "/function/"), "gateway"), (all.clone(), "gateway")]),
            ("otherwise", vec![(uri("prefix", "/function/fib"), "gateway"), (all.clone(), "shop")]),
            ("otherwise", vec![(canary(), "gateway"), (all.clone(), "shop")]),
            ("otherwise", vec![(uri("regex", "/f.*"), "gateway")]),
            ("elsewhere", vec![(uri("prefix", "/function/"), "shop"), (all.clone(), "gateway")]),
            ("elsewhere", vec![(uri("prefix", "/system/"), "gateway"), (all.clone(), "shop")]),
            ("elsewhere", vec![(uri("regex", "/f.*"), "shop")]),
            ("elsewhere", vec![]),
        ];
        for (expected, routes) in cases {
            assert_eq!(found(&routes), expected, "{routes:?}");
        }
    }

    #[test]
    fn one_that_says_nothing_is_read_too() {
        for object in
            [json!({ "metadata": { "name": "a" } }), json!({ "metadata": {}, "spec": { "hosts": 1 } })]
        {
            let object: VirtualService = serde_json::from_value(object).unwrap();
            assert_eq!(object.spec.hosts.len(), 0);
        }
    }

    #[test]
    fn what_cant_concern_openfaas_is_forgotten() {
        let spec = |host: &str| json!({ "hosts": ["a"], "http": [{ "route": [{ "destination": { "host": host } }] }] });
        let kept = |host: &str| {
            let mut routes: Routes = serde_json::from_value(spec(host)).unwrap();
            routes.slim();
            routes.http.len()
        };
        assert_eq!([kept("gateway"), kept(HOST), kept("shop")], [1, 1, 0]);
    }
}
