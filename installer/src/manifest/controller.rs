//! The controller's Deployment and what it runs as.

use serde_json::{Value, json};

use super::objects::Options;
use super::{CONTROLLER, NAMESPACE};
use crate::controller::DEFAULT_LISTEN;

/// Two: while one is replaced or its node is lost the other takes over. Requests wait for neither.
const REPLICAS: u32 = 2;

/// Whoever runs in the image: a number that no image gives to anybody, as Kubernetes wants one that isn't root.
const USER: u32 = 65532;

/// The labels of its pods.
fn labels() -> Value {
    json!({ "app.kubernetes.io/name": CONTROLLER })
}

/// What it runs as.
pub(super) fn account() -> Value {
    json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": CONTROLLER, "namespace": NAMESPACE } })
}

/// The Deployment.
pub(super) fn deployment(options: &Options) -> Value {
    let spread = json!([{
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": { "matchLabels": labels() },
    }]);
    let pod = json!({
        "serviceAccountName": CONTROLLER,
        "topologySpreadConstraints": spread,
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": USER, "runAsGroup": USER, "seccompProfile": { "type": "RuntimeDefault" },
        },
        "containers": [container(options)],
    });
    let annotations = json!({
        "prometheus.io/scrape": "true",
        "prometheus.io/port": DEFAULT_LISTEN.port().to_string(),
        // It speaks to the API server only, which no sidecar has to be waited for.
        "sidecar.istio.io/inject": "false",
    });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": CONTROLLER, "namespace": NAMESPACE },
        "spec": {
            "replicas": REPLICAS,
            "selector": { "matchLabels": labels() },
            "template": { "metadata": { "labels": labels(), "annotations": annotations }, "spec": pod },
        },
    })
}

fn container(options: &Options) -> Value {
    let probe = |path: &str| json!({ "httpGet": { "path": path, "port": "metrics" } });
    json!({
        "name": "controller",
        "image": options.image,
        "args": [
            "controller",
            format!("--root-namespace={}", options.root_namespace),
            format!("--istio-version={}", options.istio),
            format!("--proxies={}", options.contexts),
            format!("--domain={}", options.domain),
        ],
        "env": [{ "name": "POD_NAME", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }],
        "ports": [{ "name": "metrics", "containerPort": DEFAULT_LISTEN.port() }],
        "livenessProbe": probe("/healthz"),
        "readinessProbe": probe("/readyz"),
        // No limit on CPU: it is idle but for a restart, which is over sooner so.
        "resources": { "requests": { "cpu": "10m", "memory": "64Mi" }, "limits": { "memory": "128Mi" } },
        "securityContext": {
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] },
        },
    })
}
