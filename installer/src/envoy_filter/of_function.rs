//! The EnvoyFilter of one function: its policy and what Envoy does of it, on the clusters that its requests go to.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use steadfaas_core::policy::{Policy, WrittenPolicy};

use super::patch::{Contexts, SIDECAR, patch};
use super::{IstioVersion, PART, PART_FUNCTION, resource};
use crate::envoy::protection::{MESH_CONNECT_TIMEOUT, Protection, Spoken};
use crate::filter::PLUGIN;
use crate::function::{Function, Protocol, Upstream};

/// The annotation with the policy, as it travels to the filter: what holds when the function's own becomes wrong.
pub const POLICY: &str = "steadfaas.dev/policy";

/// Labels that say whose it is, for owner references can't cross namespaces. They are for people's selectors: what
/// counts is the name, which nobody can change.
pub(crate) const OWNER_NAMESPACE: &str = "steadfaas.dev/namespace";
const OWNER_NAME: &str = "steadfaas.dev/name";
const OWNER_UID: &str = "steadfaas.dev/uid";

/// Longest value of a label.
const MAX_LABEL: usize = 63;

/// Longest name of an object.
const MAX_NAME: usize = 253;

/// So many bytes of a digest tell names apart that are too long.
const DIGEST_BYTES: usize = 8;

/// The EnvoyFilter of one function.
#[derive(Debug, Clone, Copy)]
pub struct OfFunction<'a> {
    /// The function.
    pub function: &'a Function,
    /// Its policy as the filter reads it.
    pub written: &'a WrittenPolicy,
    /// The same, for what Envoy does of it.
    pub policy: &'a Policy,
    /// The Istio that reads it.
    pub istio: IstioVersion,
    /// Which proxies protect it.
    pub contexts: Contexts,
    /// Where istiod reads EnvoyFilters for all.
    pub root_namespace: &'a str,
    /// The UID of the EnvoyFilter with the extension, which is in the same namespace: when that one is deleted, Kubernetes
    /// takes those of the functions along.
    pub extension: &'a str,
}

impl OfFunction<'_> {
    /// The EnvoyFilter, as server-side apply takes it.
    ///
    /// # Errors
    /// The policy can't be written as JSON.
    pub fn render(&self) -> Result<Value, serde_json::Error> {
        let resource = resource();
        let mut patches = Vec::new();
        for upstream in &self.function.upstreams {
            for context in self.contexts.named() {
                patches.push(self.patch(upstream, context)?);
            }
        }
        Ok(json!({
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {
                "name": name(self.function),
                "namespace": self.root_namespace,
                "labels": {
                    (PART): PART_FUNCTION,
                    (OWNER_NAMESPACE): self.function.namespace,
                    (OWNER_NAME): label(&self.function.name),
                    (OWNER_UID): self.function.uid,
                },
                "annotations": { (POLICY): self.written.to_json()? },
                "ownerReferences": [goes_with(self.extension)],
            },
            "spec": { "configPatches": patches },
        }))
    }

    fn patch(&self, upstream: &Upstream, context: &str) -> Result<Value, serde_json::Error> {
        let protection = Protection {
            written: self.written,
            policy: self.policy,
            spoken: spoken(upstream.protocol, context),
            connect_timeout: MESH_CONNECT_TIMEOUT,
            // Knative's activator finds the revision by it.
            check_host: Some(&upstream.host),
        };
        let fields = protection.cluster_fields(self.istio.needs().cluster_retries)?;
        let matched = json!({ "cluster": { "service": upstream.host, "portNumber": upstream.port } });
        Ok(patch("CLUSTER", context, matched, "MERGE", fields))
    }
}

/// What istiod says as well, and what has to be said again where its options are replaced.
fn spoken(protocol: Protocol, context: &str) -> Spoken {
    match protocol {
        Protocol::Http1 => Spoken::Http1,
        Protocol::Http2 => Spoken::Http2,
        Protocol::Unnamed if context == SIDECAR => Spoken::AsCaller,
        Protocol::Unnamed => Spoken::Http1,
    }
}

/// What a function's EnvoyFilter is called. A namespace has no dot, so no two functions share a name.
#[must_use]
pub fn name(function: &Function) -> String {
    name_of(&function.namespace, function.kind.kubectl(), &function.name)
}

/// Who owns what is made for functions: the extension's EnvoyFilter, which has this UID.
pub(crate) fn goes_with(extension: &str) -> Value {
    let resource = resource();
    json!({
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": PLUGIN,
        "uid": extension,
    })
}

/// What something is called that is made for a namespace.
pub(crate) fn name_of(namespace: &str, kind: &str, name: &str) -> String {
    let begin = format!("{PLUGIN}.{namespace}.{kind}");
    let whole = format!("{begin}.{name}");
    if whole.len() <= MAX_NAME {
        return whole;
    }
    let digest = Sha256::digest(whole.as_bytes());
    let digest: String = digest.iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("{begin}.{digest}")
}

/// The namespace that something of ours is made for, by its name.
#[must_use]
pub fn owner_namespace(name: &str) -> Option<&str> {
    let words = name.strip_prefix(PLUGIN)?.strip_prefix('.')?;
    words.split_once('.').map(|(namespace, _)| namespace)
}

/// As much of a name as a label takes: it must end in a letter or digit.
fn label(name: &str) -> &str {
    let end = name.len().min(MAX_LABEL);
    name.get(..end).unwrap_or_default().trim_end_matches(|last: char| !last.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::fixtures;
    use crate::function::{DEFAULT_DOMAIN, Objects, functions};

    fn function(annotations: Value, port: &str) -> Function {
        let mut service = fixtures::service("fib", json!({ "app": "fib" }), annotations);
        service["spec"]["ports"][0]["name"] = port.into();
        let service = fixtures::object(service);
        let objects = Objects { services: vec![&service], ..Objects::default() };
        functions(&objects, DEFAULT_DOMAIN).remove(0)
    }

    fn rendered(function: &Function, istio: &str, contexts: Contexts) -> Value {
        let (written, policy) = (function.written(), function.policy().unwrap());
        let istio = istio.parse().unwrap();
        let filter = OfFunction {
            function,
            written: &written,
            policy: &policy,
            istio,
            contexts,
            root_namespace: "istio-system",
            extension: "of-the-extension",
        };
        filter.render().unwrap()
    }

    fn options(filter: &Value, patch: usize) -> &Value {
        let options =
            &filter["spec"]["configPatches"][patch]["patch"]["value"]["typed_extension_protocol_options"];
        &options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
    }

    #[test]
    fn everything_that_istiod_is_told() {
        let annotations = json!({ "steadfaas.dev/strategy": "active-standby", "steadfaas.dev/probe": "http:/healthz@200ms" });
        insta::assert_yaml_snapshot!(rendered(&function(annotations, "http"), "1.29", Contexts::Gateway));
    }

    #[test]
    fn a_context_of_its_own_for_gateways_and_sidecars_that_speak_as_their_callers_do() {
        let filter = rendered(&function(fixtures::protected(), "web"), "1.29", Contexts::Both);
        let contexts = [0, 1].map(|patch| filter["spec"]["configPatches"][patch]["match"]["context"].clone());
        assert_eq!(contexts, ["GATEWAY", "SIDECAR_OUTBOUND"]);
        assert!(options(&filter, 0)["explicit_http_config"]["http_protocol_options"].is_object());
        assert!(options(&filter, 1)["use_downstream_protocol_config"].is_object());
    }

    #[test]
    fn before_1_29_the_cluster_has_no_retries_of_its_own() {
        let function = function(fixtures::protected(), "http");
        assert!(options(&rendered(&function, "1.29", Contexts::Both), 0)["retry_policy"].is_object());
        assert!(options(&rendered(&function, "1.28", Contexts::Both), 0)["retry_policy"].is_null());
    }

    #[test]
    fn names_that_are_too_long_are_told_apart_by_a_digest() {
        let mut function = function(fixtures::protected(), "http");
        assert_eq!(name(&function), "steadfaas.default.service.fib");
        function.name = "a".repeat(250);
        let one = name(&function);
        function.name = "b".repeat(250);
        assert!(one.len() <= MAX_NAME && one != name(&function));
        assert_eq!(label(&function.name).len(), MAX_LABEL);
        assert_eq!(label("a.b-"), "a.b");
    }

    #[test]
    fn whose_namespace_it_is_for_is_read_from_the_name_which_nobody_changes() {
        assert_eq!(owner_namespace("steadfaas.default.service.a.b"), Some("default"));
        assert_eq!(owner_namespace("steadfaas"), None);
        assert_eq!(owner_namespace("somebody.default.service.a"), None);
    }
}
