//! Somebody makes a subset of a function's Service.

use serde_json::json;

use super::{PATIENCE, Stage, seconds};
use crate::bare_functions::envoy_has;
use crate::cluster::istio;

/// Its cluster in the gateway's Envoy gets the function's policy: the EnvoyFilter names a Service and a port, and a subset is
/// of those.
pub(super) fn protected(stage: &Stage<'_>) -> anyhow::Result<String> {
    let (functions, kubectl) = (&stage.functions, stage.running.kubectl());
    let rule = json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": { "name": "subset", "namespace": functions.namespace() },
        "spec": { "host": "f0", "subsets": [{ "name": "v2", "labels": { "version": "v2" } }] },
    });
    kubectl.apply(&rule.to_string())?;
    let gateway = istio::ingress_gateway().admin(stage.running)?;
    let cluster = functions.envoy_cluster(0, "v2");
    let has = || envoy_has(&gateway, &cluster, "active-standby");
    let took = PATIENCE.until("a subset's cluster has no policy", has)?;
    let namespace = format!("--namespace={}", functions.namespace());
    kubectl.run(&["delete", "destinationrule", &namespace, "subset"])?;
    Ok(format!("protected after {}", seconds(took)))
}
