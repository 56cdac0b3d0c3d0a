//! Faults of a pod, by the API server.

use crate::cluster::function::Replica;
use crate::cluster::running::Running;

/// Gives a Deployment so many replicas.
pub(super) fn scale(
    running: &Running,
    namespace: &str,
    deployment: &str,
    replicas: u32,
) -> anyhow::Result<()> {
    let (namespace, deployment) = (format!("--namespace={namespace}"), format!("deployment/{deployment}"));
    running.kubectl().run(&["scale", &namespace, &deployment, &format!("--replicas={replicas}")]).map(drop)
}

/// Asks for another strategy, as a user does who changes their mind.
pub(super) fn annotate(running: &Running, namespace: &str, deployment: &str) -> anyhow::Result<()> {
    let (namespace, deployment) = (format!("--namespace={namespace}"), format!("deployment/{deployment}"));
    let other = "steadfaas.dev/strategy=hedged";
    running.kubectl().run(&["annotate", "--overwrite", &namespace, &deployment, other]).map(drop)
}

/// Changes a Knative Service's template, of which Knative makes a new revision.
pub(super) fn revise(running: &Running, namespace: &str, service: &str) -> anyhow::Result<()> {
    let (namespace, service) =
        (format!("--namespace={namespace}"), format!("services.serving.knative.dev/{service}"));
    let change = r#"{"spec":{"template":{"metadata":{"annotations":{"example.com/round":"2"}}}}}"#;
    running.kubectl().run(&["patch", &namespace, &service, "--type=merge", "--patch", change]).map(drop)
}

pub(super) fn delete(running: &Running, target: &Replica) -> anyhow::Result<()> {
    let (pod, namespace) = (format!("pod/{}", target.pod), format!("--namespace={}", target.namespace));
    running.kubectl().run(&["delete", &namespace, &pod, "--wait=false"]).map(drop)
}
