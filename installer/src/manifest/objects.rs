//! All objects, in the order in which they are applied.

use serde_json::{Value, json};

use super::{NAMESPACE, PART_OF, access, controller};
use crate::envoy_filter::{Contexts, Extension, IstioVersion, extension};

/// What an installation depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The oldest Istio that reads it.
    pub istio: IstioVersion,
    /// Which proxies protect functions.
    pub contexts: Contexts,
    /// Where istiod reads EnvoyFilters for all proxies.
    pub root_namespace: String,
    /// The cluster's DNS domain.
    pub domain: String,
    /// The controller's image.
    pub image: String,
    /// Answers get a header that says what steadfaas did.
    pub response_header: bool,
}

/// All objects. The filter comes last: only with it do proxies change. `module` is its code.
#[must_use]
pub fn objects(options: &Options, module: &[u8]) -> Vec<Value> {
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } });
    let root = options.root_namespace.as_str();
    let mut objects = vec![
        namespace,
        controller::account(),
        access::cluster_role(),
        access::binding("ClusterRole", None),
        access::root_role(root),
        access::binding("Role", Some(root)),
        access::own_role(),
        access::binding("Role", Some(NAMESPACE)),
    ];
    objects.extend(access::admission());
    objects.push(controller::deployment(options));
    objects.push(extension(&Extension {
        istio: options.istio,
        contexts: options.contexts,
        response_header: options.response_header,
        module,
        root_namespace: root,
    }));
    objects.iter_mut().for_each(label);
    objects
}

/// Marks an object as a part of the installation.
fn label(object: &mut Value) {
    let Some(Value::Object(metadata)) = object.get_mut("metadata") else { return };
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    if let Value::Object(labels) = labels {
        labels.insert(PART_OF.0.to_owned(), PART_OF.1.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::DEFAULT_IMAGE;

    fn rendered() -> Vec<Value> {
        let options = Options {
            istio: IstioVersion::DEFAULT,
            contexts: Contexts::Both,
            root_namespace: "istio-root".to_owned(),
            domain: "cluster.local".to_owned(),
            image: DEFAULT_IMAGE.to_owned(),
            response_header: false,
        };
        objects(&options, b"\0asm")
    }

    #[test]
    fn every_object_says_that_it_is_a_part_and_names_its_namespace_where_it_has_one() {
        for object in rendered() {
            assert_eq!(object["metadata"]["labels"][PART_OF.0], PART_OF.1, "{object}");
            let global = [
                "Namespace",
                "ClusterRole",
                "ClusterRoleBinding",
                "ValidatingAdmissionPolicy",
                "ValidatingAdmissionPolicyBinding",
            ];
            let is_global = global.contains(&object["kind"].as_str().unwrap());
            assert_eq!(object["metadata"]["namespace"].is_null(), is_global, "{object}");
        }
    }

    #[test]
    fn nothing_may_be_done_to_everything() {
        for object in rendered() {
            for rule in object["rules"].as_array().into_iter().flatten() {
                assert!(!rule.to_string().contains('*'), "{rule}");
                assert!(
                    rule["resources"] != json!(["secrets"]) && rule["resources"] != json!(["pods"]),
                    "{rule}"
                );
            }
        }
    }

    #[test]
    fn the_filter_comes_last_and_is_in_istiods_root_namespace() {
        let objects = rendered();
        let last = objects.last().unwrap();
        assert_eq!(
            (&last["kind"], &last["metadata"]["namespace"]),
            (&json!("EnvoyFilter"), &json!("istio-root"))
        );
    }
}
