//! Services by what functions look them up for: a namespace may have thousands, and each change of one of its objects
//! looks at all of its functions.

use std::collections::HashMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;

/// Services, found without looking at each.
#[derive(Debug, Default)]
pub(super) struct Index<'a> {
    /// By namespace and name.
    by_name: HashMap<(&'a str, &'a str), &'a Service>,
    /// By namespace, and key and value of a label.
    by_label: HashMap<(&'a str, &'a str, &'a str), Vec<&'a Service>>,
    /// By namespace, and the first key and value of the selector.
    by_selector: HashMap<(&'a str, &'a str, &'a str), Vec<&'a Service>>,
}

impl<'a> Index<'a> {
    /// Of these Services; of labels, those with the key `label` count.
    pub(super) fn of(services: &[&'a Service], label: &str) -> Self {
        let mut index = Self::default();
        for service in services {
            let namespace = service.metadata.namespace.as_deref().unwrap_or_default();
            if let Some(name) = &service.metadata.name {
                index.by_name.insert((namespace, name), service);
            }
            if let Some((key, value)) = service.labels().get_key_value(label) {
                index.by_label.entry((namespace, key, value)).or_default().push(service);
            }
            let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
            if let Some((key, value)) = selector.and_then(|selector| selector.iter().next()) {
                index.by_selector.entry((namespace, key, value)).or_default().push(service);
            }
        }
        index
    }

    /// The one of this name.
    pub(super) fn named<'s>(&'s self, namespace: &'s str, name: &'s str) -> Option<&'s Service> {
        self.by_name.get(&(namespace, name)).copied()
    }

    /// Those with this label.
    pub(super) fn labelled<'s>(
        &'s self,
        namespace: &'s str,
        key: &'s str,
        value: &'s str,
    ) -> &'s [&'s Service] {
        self.by_label.get(&(namespace, key, value)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Those whose requests reach pods of the Deployment, by name.
    pub(super) fn leading_to<'s>(&'s self, deployment: &'s Deployment) -> Vec<&'s Service> {
        let template = deployment.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
        let Some(labels) = template.and_then(|metadata| metadata.labels.as_ref()) else { return Vec::new() };
        let namespace = deployment.metadata.namespace.as_deref().unwrap_or_default();
        let selects = |service: &&&Service| {
            let selector = service.spec.iter().flat_map(|spec| spec.selector.iter().flatten());
            selector.into_iter().all(|(key, value)| labels.get(key) == Some(value))
        };
        let begun = labels.iter().filter_map(|(key, value)| self.by_selector.get(&(namespace, key, value)));
        let mut leading: Vec<&Service> = begun.flatten().filter(selects).copied().collect();
        leading.sort_by_key(|service| service.metadata.name.as_deref());
        leading
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::function::fixtures::{deployment, object, service};

    #[test]
    fn a_service_leads_to_pods_that_have_all_of_its_selector_and_maybe_more() {
        let of = |name: &str, selector| object::<Service>(service(name, selector, json!({})));
        let services = [
            of("z", json!({ "app": "fib" })),
            of("a", json!({ "app": "fib", "track": "new" })),
            of("other", json!({ "app": "fib", "track": "old" })),
            of("none", json!({})),
        ];
        let index = Index::of(&services.iter().collect::<Vec<_>>(), "none");
        let pods = json!({ "app": "fib", "track": "new", "more": "yes" });
        let here: Deployment = object(deployment("fib", pods, json!({})));
        let leading = index.leading_to(&here);
        assert_eq!(leading.iter().map(|service| service.name_any()).collect::<Vec<_>>(), ["a", "z"]);
        let mut elsewhere: Deployment = object(deployment("fib", json!({ "app": "fib" }), json!({})));
        elsewhere.metadata.namespace = Some("elsewhere".to_owned());
        assert!(index.leading_to(&elsewhere).is_empty());
    }
}
