//! What the controller may do: verb by verb, each with its reason.

use serde_json::{Value, json};

use super::{CONTROLLER, NAMESPACE};
use crate::controller::limits;

/// Objects of the whole cluster that it reads, and says what it found about.
pub(super) fn cluster_role() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": { "name": CONTROLLER },
        "rules": [
            // list, watch: what functions there are, and what they are annotated with.
            // patch: `steadfaas.dev/status` on the function. The policy below sees to it that it is nothing else.
            rule("", &["services"], &["list", "watch", "patch"]),
            rule("apps", &["deployments"], &["list", "watch", "patch"]),
            rule("serving.knative.dev", &["services"], &["list", "watch", "patch"]),
            // list, watch: how many replicas are ready, and whether Knative's activator stands in their place.
            rule("discovery.k8s.io", &["endpointslices"], &["list", "watch"]),
            // create: an Event on the function, in its namespace. patch: its count, when it comes again.
            rule("events.k8s.io", &["events"], &["create", "patch"]),
        ],
    })
}

/// EnvoyFilters, in the one namespace where they hold for all proxies.
pub(super) fn root_role(root_namespace: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": { "name": CONTROLLER, "namespace": root_namespace },
        "rules": [
            // list, watch: those that there are. get: whether a name is taken by somebody else's.
            // create, patch: server-side apply is both. delete: when its function is gone.
            rule("networking.istio.io", &["envoyfilters"], &["list", "watch", "get", "create", "patch", "delete"]),
        ],
    })
}

/// Its own namespace.
pub(super) fn own_role() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": { "name": CONTROLLER, "namespace": NAMESPACE },
        "rules": [
            // get: who holds the Lease. update: to take, renew and give it back.
            named("coordination.k8s.io", "leases", CONTROLLER, &["get", "update"]),
            // create: the first time. It can't be limited to a name.
            rule("coordination.k8s.io", &["leases"], &["create"]),
            // list, watch: the administrators' limits.
            named("", "configmaps", limits::NAME, &["list", "watch"]),
        ],
    })
}

/// The binding of a role to the controller's account.
pub(super) fn binding(role_kind: &str, namespace: Option<&str>) -> Value {
    let kind = if namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
    let mut metadata = json!({ "name": CONTROLLER });
    if let (Some(namespace), Value::Object(fields)) = (namespace, &mut metadata) {
        fields.insert("namespace".to_owned(), namespace.into());
    }
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": metadata,
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": CONTROLLER },
        "subjects": [{ "kind": "ServiceAccount", "name": CONTROLLER, "namespace": NAMESPACE }],
    })
}

/// RBAC can't say which field may be patched; this can: of a function the controller changes annotations only.
pub(super) fn admission() -> [Value; 2] {
    let account = format!("system:serviceaccount:{NAMESPACE}:{CONTROLLER}");
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": { "name": CONTROLLER },
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": { "resourceRules": [
                matched("", "services"),
                matched("apps", "deployments"),
                matched("serving.knative.dev", "services"),
            ] },
            "matchConditions": [{
                "name": "the-controller",
                "expression": format!("request.userInfo.username == '{account}'"),
            }],
            "validations": [
                {
                    "expression": "request.operation == 'UPDATE' && object.spec == oldObject.spec",
                    "message": "steadfaas' controller makes nothing and changes no specification",
                },
                {
                    "expression": "object.metadata.?labels == oldObject.metadata.?labels",
                    "message": "steadfaas' controller changes no labels",
                },
            ],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": { "name": CONTROLLER },
        "spec": { "policyName": CONTROLLER, "validationActions": ["Deny"] },
    });
    [policy, binding]
}

fn matched(group: &str, resource: &str) -> Value {
    json!({ "apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource] })
}

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({ "apiGroups": [group], "resources": resources, "verbs": verbs })
}

fn named(group: &str, resource: &str, name: &str, verbs: &[&str]) -> Value {
    json!({ "apiGroups": [group], "resources": [resource], "resourceNames": [name], "verbs": verbs })
}
