//! The EnvoyFilters of functions that there are, each as no more than is needed to see whether it is as it should be; and
//! how that is seen, of routes too.

use std::collections::{BTreeMap, HashMap};

use kube::ResourceExt as _;
use kube::core::{NotUsed, Object};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use steadfaas_core::policy::WrittenPolicy;

use crate::envoy_filter::POLICY;

/// An EnvoyFilter of a function, whose specification is kept as a digest: two thousand of them take 2 MB instead of 30.
pub(super) type Filter = Object<Spec, NotUsed>;

/// The digest of a specification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Spec([u8; 32]);

impl Spec {
    /// Keys are sorted in a [`Value`], so equal specifications have equal digests.
    pub(super) fn of(spec: &Value) -> Self {
        Self(Sha256::digest(spec.to_string().as_bytes()).into())
    }
}

impl AsRef<Self> for Spec {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::of(&Value::deserialize(deserializer)?))
    }
}

/// What an object of Istio's says, as far as we wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    spec: Spec,
    labels: BTreeMap<String, String>,
    policy: Option<String>,
    /// The UID of what it is deleted with.
    owner: Option<String>,
}

impl Content {
    /// Of one that is to be.
    pub(super) fn wanted(object: &Value) -> Self {
        let text = |at: &str| object.pointer(at).and_then(Value::as_str).map(str::to_owned);
        let labels = object.pointer("/metadata/labels").and_then(Value::as_object).into_iter().flatten();
        Self {
            spec: object.get("spec").map(Spec::of).unwrap_or_default(),
            labels: labels
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect(),
            policy: text(&format!("/metadata/annotations/{}", POLICY.replace('/', "~1"))),
            owner: text("/metadata/ownerReferences/0/uid"),
        }
    }

    /// Whether one that is there says it.
    pub(super) fn is<S: AsRef<Spec> + Clone>(&self, object: &Object<S, NotUsed>) -> bool {
        self.spec == *object.spec.as_ref()
            && self.policy.as_ref() == object.annotations().get(POLICY)
            && self.owner.iter().all(|uid| object.owner_references().iter().any(|owner| owner.uid == *uid))
            && self.labels.iter().all(|(key, value)| object.labels().get(key) == Some(value))
    }
}

/// The policy that an EnvoyFilter carries; nothing if somebody wrote something else there.
pub(super) fn policy(filter: &Filter) -> Option<WrittenPolicy> {
    WrittenPolicy::from_json(filter.annotations().get(POLICY)?.as_bytes()).ok()
}

/// What was written lately: the watch brings it a moment later, and until then nothing must be written again.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// By name: the content, and the version that the API server gave it.
    written: HashMap<String, (Content, u64)>,
}

impl Recent {
    pub(super) fn wrote(&mut self, name: String, content: Content, version: &str) {
        // No number: then what the watch says counts.
        let Ok(version) = version.parse() else { return };
        self.written.insert(name, (content, version));
    }

    pub(super) fn deleted(&mut self, name: &str) {
        self.written.remove(name);
    }

    /// The watch brought this version, or word that it was deleted with it: what was written before counts no more.
    pub(super) fn seen(&mut self, name: &str, version: Option<&str>) {
        let seen = version.and_then(|version| version.parse::<u64>().ok());
        if self.written.get(name).is_some_and(|(_, written)| seen.is_none_or(|seen| seen >= *written)) {
            self.written.remove(name);
        }
    }

    /// All were listed anew: whatever was deleted meanwhile, no watch will say it.
    pub(super) fn listed(&mut self) {
        self.written.clear();
    }

    /// Whether the object of this name says this already. No two kinds share a name.
    pub(super) fn holds<S: AsRef<Spec> + Clone>(
        &mut self,
        name: &str,
        content: &Content,
        there: Option<&Object<S, NotUsed>>,
    ) -> bool {
        let seen = there.and_then(|object| object.resource_version()?.parse::<u64>().ok());
        match self.written.get(name) {
            Some((written, version)) if seen.is_none_or(|seen| seen < *version) => written == content,
            _ => {
                self.written.remove(name);
                there.is_some_and(|object| content.is(object))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(policy: &str) -> Value {
        json!({
            "metadata": { "name": "a", "labels": { "steadfaas.dev/part": "function" }, "annotations": { (POLICY): policy } },
            "spec": { "configPatches": [policy] },
        })
    }

    fn there(policy: &str, version: &str) -> Filter {
        let mut filter = written(policy);
        filter["metadata"]["resourceVersion"] = version.into();
        filter["metadata"]["labels"]["somebody.else/s"] = "label".into();
        serde_json::from_value(filter).unwrap()
    }

    #[test]
    fn what_is_there_as_wanted_is_not_written_again() {
        let content = Content::wanted(&written("one"));
        assert!(Recent::default().holds("a", &content, Some(&there("one", "1"))));
        assert!(!Recent::default().holds("a", &content, Some(&there("two", "1"))));
        assert!(!Recent::default().holds::<Spec>("a", &content, None));
    }

    #[test]
    fn what_was_just_written_counts_until_the_watch_brings_something_newer() {
        let (one, two) = (Content::wanted(&written("one")), Content::wanted(&written("two")));
        let mut recent = Recent::default();
        recent.wrote("a".to_owned(), two.clone(), "5");
        assert!(recent.holds("a", &two, Some(&there("one", "4"))), "the watch is late");
        assert!(!recent.holds("a", &one, Some(&there("one", "4"))));
        assert!(recent.holds("a", &two, Some(&there("two", "5"))));
        assert!(!recent.holds("a", &two, Some(&there("one", "6"))), "somebody changed it");
    }

    #[test]
    fn what_was_just_written_and_deleted_before_anybody_looked_counts_no_more() {
        let content = Content::wanted(&written("one"));
        let mut recent = Recent::default();
        recent.wrote("a".to_owned(), content.clone(), "5");
        recent.seen("a", Some("4"));
        assert!(recent.holds::<Spec>("a", &content, None), "that was the one before");
        recent.seen("a", Some("6"));
        assert!(!recent.holds::<Spec>("a", &content, None));
        recent.wrote("a".to_owned(), content.clone(), "7");
        recent.listed();
        assert!(!recent.holds::<Spec>("a", &content, None), "it is in no list");
    }

    #[test]
    fn one_that_goes_with_an_extension_of_another_time_is_not_as_wanted() {
        let owned_by = |uid: &str| {
            let mut filter = written("one");
            filter["metadata"]["ownerReferences"] =
                json!([{ "apiVersion": "v1", "kind": "EnvoyFilter", "name": "steadfaas", "uid": uid }]);
            filter
        };
        let old: Filter = serde_json::from_value(owned_by("old")).unwrap();
        assert!(Content::wanted(&owned_by("old")).is(&old));
        assert!(!Content::wanted(&owned_by("new")).is(&old));
    }
}
