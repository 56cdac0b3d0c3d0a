//! A pod with a proxy, and the way to its Envoy's admin endpoint, which listens on the pod's own loopback only.

use anyhow::Context as _;

use super::cgroup;
use super::endpoint::Endpoint;
use super::running::Running;

/// Where Istio's proxies have it.
const ADMIN: u16 = 15000;

/// What is asked of it.
const FIELDS: &str =
    "--output=jsonpath={.items[0].metadata.name} {.items[0].metadata.uid} {.items[0].spec.nodeName}";

/// Which pod: the first one with this label.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Its namespace.
    pub namespace: String,
    /// Its label.
    pub label: String,
}

impl Proxy {
    /// A way to its Envoy's admin endpoint: from within its network where the nodes are ours, else through the API server.
    ///
    /// # Errors
    /// There is no such pod, or no way.
    pub fn admin(&self, running: &Running) -> anyhow::Result<Endpoint> {
        let [name, uid, node] = self.find(running)?;
        let Ok(records) = running.records() else {
            return Endpoint::forwarded(running.kubectl(), &self.namespace, &name, ADMIN);
        };
        let pods = cgroup::pods(&records.folder().mark(), &node);
        let group = pods.into_iter().find(|(known, _)| *known == uid).map(|(_, group)| group);
        let process = group.and_then(|group| group.process());
        let process = process.with_context(|| format!("the pod {name} has no process on {node}"))?;
        Ok(Endpoint::within(format!("/proc/{process}/ns/net").into(), ADMIN))
    }

    /// Name, uid and node.
    ///
    /// # Errors
    /// There is no such pod.
    pub fn find(&self, running: &Running) -> anyhow::Result<[String; 3]> {
        let namespace = format!("--namespace={}", self.namespace);
        let said = running.kubectl().run(&[
            "get",
            "pods",
            &namespace,
            &format!("--selector={}", self.label),
            FIELDS,
        ]);
        let said =
            said.with_context(|| format!("no pod in {} has the label {}", self.namespace, self.label))?;
        let words: Vec<String> = said.split(' ').map(str::to_owned).collect();
        words.try_into().map_err(|words| anyhow::anyhow!("a pod's name, uid and node are {words:?}"))
    }
}
