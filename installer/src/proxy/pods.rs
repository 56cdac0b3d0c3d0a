//! Which pods have a proxy of the mesh, and which kind.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod};

/// The container that Istio's agent and Envoy run in, in gateways and beside applications.
const CONTAINER: &str = "istio-proxy";

/// A pod with a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its namespace.
    pub namespace: String,
    /// The pod's name.
    pub name: String,
    /// What it stands in front of.
    pub role: Role,
    /// The pod's labels; Gateways and EnvoyFilters select by them.
    pub labels: BTreeMap<String, String>,
    /// It is ready.
    pub ready: bool,
}

/// What a proxy stands in front of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It takes what comes from outside.
    Gateway,
    /// It stands beside an application.
    Sidecar,
}

impl Proxy {
    /// The pod's proxy, if it has one and runs.
    #[must_use]
    pub fn of(pod: &Pod) -> Option<Self> {
        let spec = pod.spec.as_ref()?;
        let runs = pod.status.as_ref()?.phase.as_deref() == Some("Running");
        if !runs || pod.metadata.deletion_timestamp.is_some() {
            return None;
        }
        // A sidecar of the newer kind is an init container that goes on.
        let mut containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
        let container = containers.find(|container| container.name == CONTAINER)?;
        Some(Self {
            namespace: pod.metadata.namespace.clone().unwrap_or_default(),
            name: pod.metadata.name.clone().unwrap_or_default(),
            role: Role::of(container),
            labels: pod.metadata.labels.clone().unwrap_or_default(),
            ready: is_ready(pod),
        })
    }

    /// `namespace/name`, as messages name it.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

impl Role {
    /// The agent is told: `proxy router` or `proxy sidecar`.
    fn of(container: &Container) -> Self {
        let is_router = container.args.iter().flatten().any(|argument| argument == "router");
        if is_router { Self::Gateway } else { Self::Sidecar }
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Sidecar => "sidecar",
        }
    }
}

/// The pod's condition `Ready` holds.
pub(crate) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(containers: serde_json::Value) -> Pod {
        let mut pod = json!({
            "metadata": { "name": "p", "namespace": "n", "labels": { "istio": "ingressgateway" } },
            "spec": containers,
            "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] },
        });
        pod["spec"]["containers"].as_array_mut().unwrap().push(json!({ "name": "other" }));
        serde_json::from_value(pod).unwrap()
    }

    #[test]
    fn the_agents_arguments_tell_gateways_from_sidecars() {
        let gateway = pod(json!({ "containers": [{ "name": "istio-proxy", "args": ["proxy", "router"] }] }));
        let gateway = Proxy::of(&gateway).unwrap();
        assert_eq!(
            (gateway.role, gateway.ready, gateway.in_words()),
            (Role::Gateway, true, "n/p".to_owned())
        );
        let native = json!({
            "containers": [],
            "initContainers": [{ "name": "istio-proxy", "args": ["proxy", "sidecar"] }],
        });
        assert_eq!(Proxy::of(&pod(native)).unwrap().role, Role::Sidecar);
    }

    #[test]
    fn a_pod_without_a_proxy_or_on_its_way_out_is_none() {
        assert_eq!(Proxy::of(&pod(json!({ "containers": [] }))), None);
        let mut leaving = pod(json!({ "containers": [{ "name": "istio-proxy" }] }));
        leaving.status.as_mut().unwrap().phase = Some("Pending".to_owned());
        assert_eq!(Proxy::of(&leaving), None);
    }
}
