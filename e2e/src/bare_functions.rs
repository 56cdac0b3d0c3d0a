//! Functions without pods: Services that may be annotated, each with two replicas that nobody made. What controller and
//! istiod do for them is what they do for any, and a cluster of this machine's has room for thousands.

use std::collections::BTreeMap;
use std::ops::Range;
use std::thread;

use anyhow::Context as _;
use serde_json::{Value, json};
use steadfaas_core::policy::WrittenPolicy;

use crate::cluster::endpoint::Endpoint;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::up::joined;

/// kubectl sends five requests a second, of several at once each does.
const KUBECTLS: usize = 16;

/// kubectl's first requests go at once: as few functions are one's.
const FEWEST: usize = 5;

/// On an EnvoyFilter: its function's policy.
const POLICY: &str = "steadfaas.dev/policy";

/// Functions in a namespace of their own, which are called `f0`, `f1` and so on.
#[derive(Debug)]
pub struct BareFunctions<'a> {
    kubectl: &'a Kubectl,
    namespace: &'static str,
    count: usize,
}

/// The EnvoyFilter of one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The strategy that it carries.
    pub strategy: String,
    /// How often its specification was changed, its making included.
    pub generation: u64,
    /// All that the controller writes.
    pub content: Value,
}

impl<'a> BareFunctions<'a> {
    /// Makes so many, which ask for this strategy. What an earlier command left of them goes first.
    ///
    /// # Errors
    /// The cluster refuses.
    pub fn make(
        kubectl: &'a Kubectl,
        namespace: &'static str,
        count: usize,
        strategy: &str,
    ) -> anyhow::Result<Self> {
        kubectl.run(&["delete", "namespace", namespace, "--ignore-not-found"])?;
        kubectl.apply(
            &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } })
                .to_string(),
        )?;
        let functions: Vec<usize> = (0..count).collect();
        let create = |numbers: &[usize]| {
            let items: Vec<Value> = numbers.iter().flat_map(|number| objects(*number, strategy)).collect();
            let list = json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string();
            let words = ["create", "--namespace", namespace, "-f", "-"];
            kubectl.feed(&words, list.as_bytes()).map(drop)
        };
        thread::scope(|scope| {
            let chunks = functions.chunks(count.div_ceil(KUBECTLS).max(FEWEST));
            let creating: Vec<_> = chunks.map(|chunk| scope.spawn(move || create(chunk))).collect();
            creating.into_iter().try_for_each(joined)
        })?;
        Ok(Self { kubectl, namespace, count })
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// What the EnvoyFilter of one of them is called.
    #[must_use]
    pub fn filter_name(&self, number: usize) -> String {
        format!("steadfaas.{}.service.f{number}", self.namespace)
    }

    /// The Envoy cluster of one of them, or of a subset of it, as Istio names it.
    #[must_use]
    pub fn envoy_cluster(&self, number: usize, subset: &str) -> String {
        format!("outbound|80|{subset}|f{number}.{}.svc.cluster.local", self.namespace)
    }

    /// The namespace that they are in.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.namespace
    }

    /// Asks for another strategy for some of them.
    ///
    /// # Errors
    /// The cluster refuses.
    pub fn annotate(&self, which: Range<usize>, strategy: &str) -> anyhow::Result<()> {
        let mut words = vec!["annotate".to_owned(), "--overwrite".to_owned(), "services".to_owned()];
        words.extend([
            format!("--namespace={}", self.namespace),
            format!("steadfaas.dev/strategy={strategy}"),
        ]);
        words.splice(3..3, which.map(|number| format!("f{number}")));
        self.kubectl.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).map(drop)
    }

    /// Their EnvoyFilters, by name.
    ///
    /// # Errors
    /// The cluster doesn't say.
    pub fn filters(&self) -> anyhow::Result<BTreeMap<String, Filter>> {
        let all = self.kubectl.run(&["get", "envoyfilters", "--namespace=istio-system", "--output=json"])?;
        let all: Value = serde_json::from_str(&all)?;
        let items = all.pointer("/items").and_then(Value::as_array).context("this is no list")?;
        let begin = format!("steadfaas.{}.", self.namespace);
        let named = |item: &Value| Some(item.pointer("/metadata/name")?.as_str()?.to_owned());
        let named = items.iter().filter_map(|item| Some((named(item)?, item)));
        Ok(named
            .filter(|(name, _)| name.starts_with(&begin))
            .map(|(name, item)| (name, filter(item)))
            .collect())
    }

    /// Takes them away, without waiting for them to be gone.
    ///
    /// # Errors
    /// The cluster refuses.
    pub fn remove(self) -> anyhow::Result<()> {
        let namespace = format!("namespace/{}", self.namespace);
        self.kubectl.run(&["delete", &namespace, "--wait=false"]).map(drop)
    }
}

/// Whether this Envoy has this strategy for that cluster.
///
/// # Errors
/// It doesn't answer.
pub fn envoy_has(envoy: &Endpoint, cluster: &str, strategy: &str) -> anyhow::Result<bool> {
    // A dot stands for any letter, and needs no escape.
    let name = cluster.replace('|', ".");
    let path = format!("/config_dump?resource=dynamic_active_clusters&name_regex={name}");
    Ok(envoy.get(&path)?.contains(&format!("\\\"strategy\\\":\\\"{strategy}\\\"")))
}

/// A Service, and an EndpointSlice with two addresses of which no network of the test bed knows.
fn objects(number: usize, strategy: &str) -> [Value; 2] {
    let name = format!("f{number}");
    let address = |last: usize| format!("10.200.{}.{}", number / 100, number % 100 * 2 + last);
    let endpoint = |last| json!({ "addresses": [address(last)], "conditions": { "ready": true } });
    let annotations = json!({ "steadfaas.dev/strategy": strategy });
    [
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": name, "annotations": annotations },
            "spec": { "ports": [{ "name": "http", "port": 80, "targetPort": 8080 }] },
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": { "name": name, "labels": { "kubernetes.io/service-name": name } },
            "addressType": "IPv4",
            "ports": [{ "name": "http", "port": 8080 }],
            "endpoints": [endpoint(1), endpoint(2)],
        }),
    ]
}

fn filter(item: &Value) -> Filter {
    let metadata = |key: &str| item.pointer(&format!("/metadata/{key}")).unwrap_or(&Value::Null);
    let policy = metadata("annotations").get(POLICY).and_then(Value::as_str).unwrap_or_default();
    let policy = WrittenPolicy::from_json(policy.as_bytes()).ok();
    let strategy = policy.and_then(|mut policy| policy.settings.remove("strategy"));
    let [labels, annotations, owners] = ["labels", "annotations", "ownerReferences"].map(metadata);
    Filter {
        strategy: strategy.unwrap_or_default(),
        generation: metadata("generation").as_u64().unwrap_or_default(),
        content: json!({ "labels": labels, "annotations": annotations, "owners": owners, "spec": item.get("spec") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_addresses_and_no_two_are_the_same() {
        let mut addresses: Vec<String> = Vec::new();
        for number in 0..5_000 {
            let [_, slice] = objects(number, "retry");
            for endpoint in slice["endpoints"].as_array().unwrap() {
                addresses.push(endpoint["addresses"][0].as_str().unwrap().to_owned());
            }
        }
        assert!(addresses.iter().all(|address| address.parse::<std::net::Ipv4Addr>().is_ok()));
        addresses.sort();
        addresses.dedup();
        assert_eq!(addresses.len(), 10_000);
    }

    #[test]
    fn what_an_envoy_filter_carries_is_read() {
        let item = json!({
            "metadata": {
                "generation": 3,
                "annotations": { (POLICY): WrittenPolicy::new("a/f", [("strategy".to_owned(), "retry".to_owned())].into()).to_json().unwrap() },
            },
            "spec": { "configPatches": [] },
        });
        let read = filter(&item);
        assert_eq!((read.strategy.as_str(), read.generation), ("retry", 3));
        assert_eq!(filter(&json!({})).strategy, "");
    }
}
