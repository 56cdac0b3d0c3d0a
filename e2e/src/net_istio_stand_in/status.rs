//! What an Ingress says of itself once its VirtualServices are written.

use std::process::Command;

use serde_json::{Value, json};
use xtask::command::output_of;

/// The gateway's Services, as callers from outside and from within know it.
const PUBLIC: &str = "istio-ingressgateway.istio-system.svc.cluster.local";
const PRIVATE: &str = "knative-local-gateway.istio-system.svc.cluster.local";

/// All that has to hold for an Ingress; the last one is the sum.
const CONDITIONS: [&str; 3] = ["LoadBalancerReady", "NetworkConfigured", "Ready"];

/// The time, as Kubernetes writes it.
pub(super) fn now() -> anyhow::Result<String> {
    output_of(Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]))
}

/// Whether it says of its present generation that it is ready.
pub(super) fn is_ready(ingress: &Value) -> bool {
    let seen = ingress.pointer("/status/observedGeneration");
    let conditions = ingress.pointer("/status/conditions").and_then(Value::as_array);
    let is_true = |name: &str| {
        let wanted = (Some(&json!(name)), Some(&json!("True")));
        conditions.into_iter().flatten().any(|one| (one.get("type"), one.get("status")) == wanted)
    };
    seen.is_some() && seen == ingress.pointer("/metadata/generation") && CONDITIONS.into_iter().all(is_true)
}

/// The status that says so, from this time on.
pub(super) fn ready(ingress: &Value, now: &str) -> Value {
    let condition = |name| json!({ "type": name, "status": "True", "lastTransitionTime": now });
    let conditions = CONDITIONS.map(condition);
    let balancer = |domain: &str| json!({ "ingress": [{ "domainInternal": domain }] });
    json!({
        "observedGeneration": ingress.pointer("/metadata/generation"),
        "conditions": conditions,
        "publicLoadBalancer": balancer(PUBLIC),
        "privateLoadBalancer": balancer(PRIVATE),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_generation_is_not_ready_until_it_is_said_to_be() {
        let mut ingress = json!({ "metadata": { "generation": 1 } });
        assert!(!is_ready(&ingress));
        ingress["status"] = ready(&ingress, "2026-01-01T00:00:00Z");
        assert!(is_ready(&ingress));
        ingress["metadata"]["generation"] = json!(2);
        assert!(!is_ready(&ingress));
    }

    #[test]
    fn one_condition_that_does_not_hold_is_enough() {
        let mut ingress = json!({ "metadata": { "generation": 1 } });
        ingress["status"] = ready(&ingress, "2026-01-01T00:00:00Z");
        ingress["status"]["conditions"][0]["status"] = json!("Unknown");
        assert!(!is_ready(&ingress));
    }
}
