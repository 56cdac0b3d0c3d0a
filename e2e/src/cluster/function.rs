//! A function on the cluster: its pods, where they are and what they have run.

use std::net::{IpAddr, SocketAddr};

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

use super::kubectl::Kubectl;

/// Where functions listen.
const PORT: u16 = 8080;

/// Containers that platforms put beside a function's own.
const BESIDE: [&str; 2] = ["queue-proxy", "istio-proxy"];

/// What every function says on `/stats`.
#[derive(Deserialize)]
struct Report {
    executions: u64,
}

/// A replica: a pod.
#[derive(Debug, Clone)]
pub struct Replica {
    /// Its namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// Its node.
    pub node: String,
    /// The function's container in it, as containerd calls it.
    pub container: String,
    address: IpAddr,
}

impl Replica {
    /// One to name in tests.
    #[cfg(test)]
    pub(super) fn example() -> Self {
        let (pod, node, container) = ("fib-1".to_owned(), "worker1".to_owned(), "abc".to_owned());
        Self { namespace: "default".to_owned(), pod, node, container, address: IpAddr::from([10, 244, 2, 2]) }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.address, PORT)
    }

    /// How often it has run the function. It is asked through the API server, which reaches every pod.
    ///
    /// # Errors
    /// It doesn't say.
    pub fn executions(&self, kubectl: &Kubectl) -> anyhow::Result<u64> {
        let path = format!("/api/v1/namespaces/{}/pods/{}:{PORT}/proxy/stats", self.namespace, self.pod);
        let text = kubectl.run(&["get", "--raw", &path])?;
        let report: Report =
            serde_json::from_str(&text).with_context(|| format!("{} says {text:?}", self.pod))?;
        Ok(report.executions)
    }
}

/// The running replicas in a namespace that have this label.
///
/// # Errors
/// The API server doesn't say.
pub fn replicas(kubectl: &Kubectl, namespace: &str, label: &str) -> anyhow::Result<Vec<Replica>> {
    let (namespace, selector) = (format!("--namespace={namespace}"), format!("--selector={label}"));
    let running = "--field-selector=status.phase=Running";
    let pods = kubectl.run(&["get", "pods", &namespace, &selector, running, "--output=json"])?;
    parse(&serde_json::from_str(&pods)?)
}

/// Pods that are on their way out are none any more.
fn parse(pods: &Value) -> anyhow::Result<Vec<Replica>> {
    let items = pods.pointer("/items").and_then(Value::as_array).context("this is no list of pods")?;
    items.iter().filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_none()).map(replica).collect()
}

fn replica(pod: &Value) -> anyhow::Result<Replica> {
    let text = |path: &str| {
        pod.pointer(path).and_then(Value::as_str).with_context(|| format!("a pod has no {path}"))
    };
    let containers = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
    let name = |status: &Value| status.get("name").and_then(Value::as_str).map(str::to_owned);
    let is_own = |status: &&Value| name(status).is_some_and(|name| !BESIDE.contains(&&*name));
    let container = containers.into_iter().flatten().find(is_own).and_then(|own| own.get("containerID"));
    let container =
        container.and_then(Value::as_str).context("a pod has no container of the function's own")?;
    Ok(Replica {
        namespace: text("/metadata/namespace")?.to_owned(),
        pod: text("/metadata/name")?.to_owned(),
        node: text("/spec/nodeName")?.to_owned(),
        container: container.trim_start_matches("containerd://").to_owned(),
        address: text("/status/podIP")?.parse()?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pods_are_replicas_unless_they_are_leaving() {
        let pod = |name: &str| {
            json!({
                "metadata": { "name": name, "namespace": "default" },
                "spec": { "nodeName": "worker1" },
                "status": {
                    "podIP": "10.244.2.2",
                    "containerStatuses": [
                        { "name": "queue-proxy", "containerID": "containerd://xyz" },
                        { "name": "user-container", "containerID": "containerd://abc" },
                    ],
                },
            })
        };
        let mut leaving = pod("old");
        leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        let replicas = parse(&json!({ "items": [pod("new"), leaving] })).unwrap();
        assert_eq!(replicas.len(), 1);
        assert_eq!((replicas[0].pod.as_str(), replicas[0].container.as_str()), ("new", "abc"));
        assert_eq!(replicas[0].address().to_string(), "10.244.2.2:8080");
    }
}
