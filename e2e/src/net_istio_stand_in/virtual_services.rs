//! The VirtualServices of an Ingress: `<name>-mesh` for the sidecars of callers within the cluster, `<name>-ingress` for
//! the gateways.

use std::collections::BTreeSet;

use anyhow::Context as _;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// Says whose an Ingress is.
const CLASS: (&str, &str) = ("networking.knative.dev/ingress.class", "istio.ingress.networking.knative.dev");

/// Where each VirtualService says whose it is.
const INGRESS_LABEL: &str = "networking.internal.knative.dev/ingress";

/// Of the Ingress's labels it has these two.
const ROUTE_LABELS: [&str; 2] = ["serving.knative.dev/route", "serving.knative.dev/routeNamespace"];

/// What cluster-local names end with.
const CLUSTER_DOMAIN: &str = "cluster.local";

/// By this header net-istio's probes are told from requests, and which state of the Ingress answered them.
const HASH_HEADER: &str = "K-Network-Hash";

/// The gateways for rules that are visible from outside, and only within the cluster.
const OUTSIDE: &str = "knative-serving/knative-ingress-gateway";
const INSIDE: &str = "knative-serving/knative-local-gateway";

/// Istio's word for all sidecars.
const MESH: &str = "mesh";

/// Which gateway a rule's routes are for.
type GatewayOf = fn(&Value) -> &'static str;

/// Whether it is for net-istio, and not on its way out.
pub(super) fn is_ours(ingress: &Value) -> bool {
    let class = annotations(ingress).and_then(|annotations| annotations.get(CLASS.0));
    let leaves = ingress.pointer("/metadata/deletionTimestamp").is_some();
    class.and_then(Value::as_str) == Some(CLASS.1) && !leaves
}

/// Those that it should have.
pub(super) fn of(ingress: &Value) -> anyhow::Result<Vec<Value>> {
    let rules = rules(ingress)?;
    let hosts: BTreeSet<&str> = rules.iter().flat_map(hosts_of).collect();
    let local = hosts.iter().copied().filter(|host| host.ends_with(&format!(".svc.{CLUSTER_DOMAIN}")));
    let local = expanded(local);
    let to_mesh: GatewayOf = |_| MESH;
    let mut made = Vec::new();
    if !local.is_empty() {
        made.push(virtual_service(ingress, "mesh", &rules, &local, to_mesh)?);
    }
    if !rules.is_empty() {
        made.push(virtual_service(ingress, "ingress", &rules, &expanded(hosts.into_iter()), gateway)?);
    }
    Ok(made)
}

/// Whether the one that was found is the wanted one, but for what the API server adds.
pub(super) fn are_alike(found: &Value, wanted: &Value) -> bool {
    let same = |path: &str| found.pointer(path) == wanted.pointer(path);
    ["/spec", "/metadata/labels", "/metadata/annotations"].into_iter().all(same)
}

fn virtual_service(
    ingress: &Value,
    suffix: &str,
    rules: &[Value],
    hosts: &BTreeSet<String>,
    gateway: GatewayOf,
) -> anyhow::Result<Value> {
    let metadata = |field: &str| ingress.pointer(&format!("/metadata/{field}"));
    let name = metadata("name").and_then(Value::as_str).context("an Ingress has no name")?;
    let label = |label: &str| Some((label.to_owned(), metadata("labels")?.get(label)?.clone()));
    let mut labels: Map<String, Value> = ROUTE_LABELS.into_iter().filter_map(label).collect();
    labels.insert(INGRESS_LABEL.to_owned(), name.into());
    let (mut routes, mut gateways) = (Vec::new(), BTreeSet::new());
    for rule in rules {
        let own: BTreeSet<&str> = hosts_of(rule).filter(|host| hosts.contains(*host)).collect();
        if own.is_empty() {
            continue;
        }
        gateways.insert(gateway(rule));
        let paths = rule.pointer("/http/paths").and_then(Value::as_array).context("a rule has no paths")?;
        let probes = paths.iter().map(|path| probe(path, ingress)).collect::<anyhow::Result<Vec<_>>>()?;
        for path in probes.iter().chain(paths) {
            routes.push(route(path, &own, gateway(rule))?);
        }
    }
    Ok(json!({
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "VirtualService",
        "metadata": {
            "name": format!("{name}-{suffix}"),
            "namespace": metadata("namespace"),
            "labels": labels,
            "annotations": annotations(ingress),
            "ownerReferences": [{
                "apiVersion": "networking.internal.knative.dev/v1alpha1",
                "kind": "Ingress",
                "name": name,
                "uid": metadata("uid"),
                "controller": true,
                "blockOwnerDeletion": true,
            }],
        },
        "spec": { "hosts": hosts, "gateways": gateways, "http": routes },
    }))
}

/// A path's route for these hosts. Without `retries: {}`, Istio would try twice more.
fn route(path: &Value, hosts: &BTreeSet<&str>, gateway: &str) -> anyhow::Result<Value> {
    let matches: Vec<Value> = prefixes(hosts).into_iter().map(|host| matched(path, host, gateway)).collect();
    let splits = path.get("splits").and_then(Value::as_array).context("a path has no splits")?;
    let destinations = splits.iter().map(destination).collect::<anyhow::Result<Vec<_>>>()?;
    let mut route = json!({ "match": matches, "retries": {}, "route": destinations });
    set(&mut route, "headers", set_headers(path));
    let host = path.get("rewriteHost").map(|host| json!({ "authority": host }));
    set(&mut route, "rewrite", host);
    Ok(route)
}

fn matched(path: &Value, host: &str, gateway: &str) -> Value {
    let mut matched = json!({ "gateways": [gateway], "authority": { "prefix": host } });
    set(&mut matched, "uri", path.get("path").map(|path| json!({ "prefix": path })));
    set(&mut matched, "headers", path.get("headers").cloned());
    matched
}

fn destination(split: &Value) -> anyhow::Result<Value> {
    let text = |field: &str| {
        split.get(field).and_then(Value::as_str).with_context(|| format!("a split has no {field}"))
    };
    let host = format!("{}.{}.svc.{CLUSTER_DOMAIN}", text("serviceName")?, text("serviceNamespace")?);
    let port = split.get("servicePort").context("a split has no servicePort")?;
    let mut destination = json!({ "destination": { "host": host, "port": { "number": port } } });
    // A share of nothing isn't written, as Istio's own types don't.
    set(
        &mut destination,
        "weight",
        split.get("percent").filter(|percent| percent.as_u64() != Some(0)).cloned(),
    );
    set(&mut destination, "headers", set_headers(split));
    Ok(destination)
}

/// What Knative calls appending is setting in Istio's words.
fn set_headers(from: &Value) -> Option<Value> {
    from.get("appendHeaders").map(|headers| json!({ "request": { "set": headers } }))
}

/// The same path, for probes only.
fn probe(path: &Value, ingress: &Value) -> anyhow::Result<Value> {
    let mut path = path.clone();
    for (map, value) in [("headers", json!({ "exact": "override" })), ("appendHeaders", hash(ingress).into())]
    {
        let fields = path.as_object_mut().context("a path is no object")?;
        let headers = fields.entry(map).or_insert_with(|| Map::new().into());
        headers
            .as_object_mut()
            .with_context(|| format!("{map} is no map"))?
            .insert(HASH_HEADER.to_owned(), value);
    }
    Ok(path)
}

/// Another one whenever the Ingress is another one.
fn hash(ingress: &Value) -> String {
    let parts = ["/spec", "/metadata/namespace", "/metadata/name"].map(|path| ingress.pointer(path));
    let text: String = parts.into_iter().flatten().map(Value::to_string).collect();
    format!("{:x}", Sha256::digest(text))
}

/// Cluster-local names in all their forms.
fn expanded<'a>(hosts: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let forms = |host: &'a str| {
        let endings = [String::new(), format!(".{CLUSTER_DOMAIN}"), format!(".svc.{CLUSTER_DOMAIN}")];
        endings.into_iter().filter_map(move |ending| host.strip_suffix(&ending).map(str::to_owned))
    };
    hosts.flat_map(forms).collect()
}

/// Hosts as prefixes, short forms of cluster-local names, without those that begin with another one.
fn prefixes<'a>(hosts: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let mut kept: BTreeSet<&str> = BTreeSet::new();
    for host in hosts {
        let short = host.strip_suffix(&format!(".svc.{CLUSTER_DOMAIN}")).unwrap_or(host);
        if !kept.iter().any(|known| short.starts_with(known)) {
            kept.insert(short);
        }
    }
    kept
}

fn rules(ingress: &Value) -> anyhow::Result<Vec<Value>> {
    let rules = ingress.pointer("/spec/rules").and_then(Value::as_array);
    rules.cloned().context("an Ingress has no rules")
}

fn hosts_of(rule: &Value) -> impl Iterator<Item = &str> {
    rule.get("hosts").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn gateway(rule: &Value) -> &'static str {
    if rule.get("visibility").and_then(Value::as_str) == Some("ClusterLocal") { INSIDE } else { OUTSIDE }
}

fn annotations(ingress: &Value) -> Option<&Value> {
    ingress.pointer("/metadata/annotations")
}

fn set(object: &mut Value, field: &str, value: Option<Value>) {
    if let (Value::Object(fields), Some(value)) = (object, value) {
        fields.insert(field.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Knative makes it of a service without traffic splits.
    fn ingress() -> Value {
        let rule = |hosts: Value, visibility: &str| {
            json!({
                "hosts": hosts,
                "visibility": visibility,
                "http": { "paths": [{ "splits": [{
                    "serviceName": "fib-00001",
                    "serviceNamespace": "default",
                    "servicePort": 80,
                    "percent": 100,
                    "appendHeaders": { "Knative-Serving-Revision": "fib-00001" },
                }] }] },
            })
        };
        let local = json!(["fib.default", "fib.default.svc", "fib.default.svc.cluster.local"]);
        json!({
            "metadata": {
                "name": "fib",
                "namespace": "default",
                "uid": "1",
                "annotations": { CLASS.0: CLASS.1, "steadfaas.dev/strategy": "retry" },
                "labels": { "serving.knative.dev/route": "fib", "serving.knative.dev/service": "fib" },
            },
            "spec": { "rules": [
                rule(local, "ClusterLocal"),
                rule(json!(["fib.default.steadfaas.test"]), "ExternalIP"),
            ] },
        })
    }

    #[test]
    fn there_is_one_for_the_mesh_and_one_for_the_gateways() {
        let made = of(&ingress()).unwrap();
        let names: Vec<_> = made.iter().map(|one| one["metadata"]["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["fib-mesh", "fib-ingress"]);
        let local = ["fib.default", "fib.default.svc", "fib.default.svc.cluster.local"];
        assert_eq!(made[0]["spec"]["hosts"], json!(local));
        assert_eq!(made[0]["spec"]["gateways"], json!(["mesh"]));
        let all = [local[0], "fib.default.steadfaas.test", local[1], local[2]];
        assert_eq!(made[1]["spec"]["hosts"], json!(all));
        assert_eq!(made[1]["spec"]["gateways"], json!([OUTSIDE, INSIDE]));
    }

    #[test]
    fn whose_it_is_and_what_the_user_said_are_copied() {
        let made = of(&ingress()).unwrap();
        let metadata = &made[1]["metadata"];
        assert_eq!(metadata["annotations"]["steadfaas.dev/strategy"], "retry");
        let labels = json!({ INGRESS_LABEL: "fib", "serving.knative.dev/route": "fib" });
        assert_eq!(metadata["labels"], labels);
        assert_eq!(metadata["ownerReferences"][0]["kind"], "Ingress");
    }

    #[test]
    fn each_path_comes_twice_and_for_probes_first() {
        let made = of(&ingress()).unwrap();
        let routes = made[1]["spec"]["http"].as_array().unwrap();
        assert_eq!(routes.len(), 4);
        assert_eq!(routes[0]["match"][0]["headers"], json!({ HASH_HEADER: { "exact": "override" } }));
        assert_eq!(
            routes[1],
            json!({
                "match": [{ "gateways": [INSIDE], "authority": { "prefix": "fib.default" } }],
                "retries": {},
                "route": [{
                    "destination": {
                        "host": "fib-00001.default.svc.cluster.local",
                        "port": { "number": 80 },
                    },
                    "headers": { "request": { "set": { "Knative-Serving-Revision": "fib-00001" } } },
                    "weight": 100,
                }],
            })
        );
        let hash = routes[0]["headers"]["request"]["set"][HASH_HEADER].as_str().unwrap();
        assert_eq!(hash.len(), 64);
    }

    #[test]
    fn a_public_function_alone_has_none_for_the_mesh() {
        let mut ingress = ingress();
        ingress["spec"]["rules"].as_array_mut().unwrap().remove(0);
        let made = of(&ingress).unwrap();
        assert_eq!(made.len(), 1);
        assert_eq!(made[0]["spec"]["gateways"], json!([OUTSIDE]));
    }

    #[test]
    fn an_edit_is_seen_and_what_the_server_adds_is_not_one() {
        let wanted = &of(&ingress()).unwrap()[1];
        let mut found = wanted.clone();
        found["metadata"]["resourceVersion"] = json!("7");
        assert!(are_alike(&found, wanted));
        found["spec"]["http"][1]["retries"]["attempts"] = json!(2);
        assert!(!are_alike(&found, wanted));
    }

    #[test]
    fn another_class_or_one_that_leaves_is_left_alone() {
        assert!(is_ours(&ingress()));
        let mut other = ingress();
        other["metadata"]["annotations"][CLASS.0] = json!("kourier");
        let mut leaving = ingress();
        leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(!is_ours(&other) && !is_ours(&leaving));
    }
}
