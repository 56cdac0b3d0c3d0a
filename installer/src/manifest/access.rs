//! What the controller may do: verb by verb, each with its reason.

use serde_json::{Value, json};

use super::{CONTROLLER, NAMESPACE};
use crate::controller::limits;
use crate::controller::standby::{MANAGED_BY, MANAGER};
use crate::envoy_filter::PART;
use crate::virtual_service::PART_ROUTE;

/// The policy on EndpointSlices.
const STANDBY: &str = "steadfaas-controller-standby";

/// The policy on VirtualServices.
const ROUTES: &str = "steadfaas-controller-routes";

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
            // create, patch, delete: those by which another Service stands by (`standby-service`), and no others.
            rule("discovery.k8s.io", &["endpointslices"], &["list", "watch", "create", "patch", "delete"]),
            // list, watch: where calls of OpenFaaS' gateway come in, and whether somebody says already where they go.
            rule("networking.istio.io", &["virtualservices"], &["list", "watch"]),
            // create: an Event on the function, in its namespace. patch: its count, when it comes again.
            rule("events.k8s.io", &["events"], &["create", "patch"]),
        ],
    })
}

/// EnvoyFilters, and the routes that functions of OpenFaaS ask for, in the one namespace where they hold for all proxies.
pub(super) fn root_role(root_namespace: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": { "name": CONTROLLER, "namespace": root_namespace },
        "rules": [
            // list, watch: those that there are, and the one with the extension, with which the functions' own go. get:
            // whether a name is taken by somebody else's.
            // create, patch: server-side apply is both. delete: when its function is gone.
            rule("networking.istio.io", &["envoyfilters"], &["list", "watch", "get", "create", "patch", "delete"]),
            // The same; list and watch are in the cluster's role. The policy below sees to it that it touches no others.
            rule("networking.istio.io", &["virtualservices"], &["get", "create", "patch", "delete"]),
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

/// What RBAC can't say: of a function the controller changes annotations only, and of EndpointSlices, in which nothing is
/// ready, and VirtualServices it has only its own.
pub(super) fn admission() -> [Value; 6] {
    let functions = policy(
        CONTROLLER,
        &[
            matched("", "services", &["CREATE", "UPDATE"]),
            matched("apps", "deployments", &["CREATE", "UPDATE"]),
            matched("serving.knative.dev", "services", &["CREATE", "UPDATE"]),
        ],
        &[
            (
                "request.operation == 'UPDATE' && object.spec == oldObject.spec",
                "steadfaas' controller makes nothing and changes no specification",
            ),
            (
                "object.metadata.?labels == oldObject.metadata.?labels",
                "steadfaas' controller changes no labels",
            ),
        ],
    );
    let unready = "request.operation == 'DELETE' || object.endpoints.all(endpoint, endpoint.?conditions.?ready.orValue(true) == false)";
    let standby = policy(
        STANDBY,
        &[matched("discovery.k8s.io", "endpointslices", &["CREATE", "UPDATE", "DELETE"])],
        &[
            (
                &touches(MANAGED_BY, MANAGER),
                "steadfaas' controller has EndpointSlices of its own and touches no others",
            ),
            (unready, "nothing that steadfaas' controller lets stand by is ready"),
        ],
    );
    let routes = policy(
        ROUTES,
        &[matched("networking.istio.io", "virtualservices", &["CREATE", "UPDATE", "DELETE"])],
        &[(
            &touches(PART, PART_ROUTE),
            "steadfaas' controller has VirtualServices of its own and touches no others",
        )],
    );
    [functions, bound(CONTROLLER), standby, bound(STANDBY), routes, bound(ROUTES)]
}

/// An expression: the object has this label, before and after.
fn touches(label: &str, value: &str) -> String {
    let has = |object: &str| format!("{object}.metadata.?labels['{label}'].orValue('') == '{value}'");
    format!(
        "(request.operation == 'CREATE' || {}) && (request.operation == 'DELETE' || {})",
        has("oldObject"),
        has("object")
    )
}

/// A policy on what the controller does to these objects.
fn policy(name: &str, matched: &[Value], validations: &[(&str, &str)]) -> Value {
    let account = format!("system:serviceaccount:{NAMESPACE}:{CONTROLLER}");
    let validations = validations
        .iter()
        .map(|(expression, message)| json!({ "expression": expression, "message": message }));
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": { "name": name },
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": { "resourceRules": matched },
            "matchConditions": [{
                "name": "the-controller",
                "expression": format!("request.userInfo.username == '{account}'"),
            }],
            "validations": validations.collect::<Vec<_>>(),
        },
    })
}

fn bound(name: &str) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": { "name": name },
        "spec": { "policyName": name, "validationActions": ["Deny"] },
    })
}

fn matched(group: &str, resource: &str, operations: &[&str]) -> Value {
    json!({ "apiGroups": [group], "apiVersions": ["v1"], "operations": operations, "resources": [resource] })
}

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({ "apiGroups": [group], "resources": resources, "verbs": verbs })
}

fn named(group: &str, resource: &str, name: &str, verbs: &[&str]) -> Value {
    json!({ "apiGroups": [group], "resources": [resource], "resourceNames": [name], "verbs": verbs })
}
