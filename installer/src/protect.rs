//! `steadfaas protect` and `unprotect`: the annotations for people who prefer one command, and the replicas that a
//! strategy needs.

mod find;
pub mod scale;

use std::collections::BTreeMap;

use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use serde_json::{Map, Value, json};
use steadfaas_core::policy::{Policy, PolicyError, WrittenPolicy};

use crate::access::{Access, ClusterError};
use crate::function::{Function, Kind, PREFIX, STANDBY_FOR, STATUS, knative};
pub use find::{FindError, Found, find};

/// Whose changes these are, in `metadata.managedFields`.
const MANAGER: &str = "steadfaas-protect";

/// A change of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What is merged into it.
    pub patch: Value,
}

/// What the settings come to for this function.
///
/// # Errors
/// The first thing that is wrong with them.
pub fn compile(function: &Function, settings: &BTreeMap<String, String>) -> Result<Policy, PolicyError> {
    Policy::compile(&WrittenPolicy::new(function.id(), settings.clone()))
}

/// The function's annotations become these settings, `route` among them: what isn't is taken away.
#[must_use]
pub fn annotate(function: &Function, settings: &BTreeMap<String, String>) -> Change {
    let is_asked = |key: &&String| *key != STATUS && *key != STANDBY_FOR;
    let old = function.annotations.keys().filter(is_asked).map(|key| (key.clone(), Value::Null));
    let new = settings.iter().map(|(key, value)| (format!("{PREFIX}{key}"), Value::from(value.clone())));
    let annotations: Map<String, Value> = old.chain(new).collect();
    Change {
        kind: function.kind,
        namespace: function.namespace.clone(),
        name: function.name.clone(),
        patch: json!({ "metadata": { "annotations": annotations } }),
    }
}

impl Change {
    /// As messages name its object.
    #[must_use]
    pub fn object(&self) -> String {
        format!("{} {}/{}", self.kind.kubectl(), self.namespace, self.name)
    }

    /// It changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patch
            .pointer("/metadata/annotations")
            .is_some_and(|all| all.as_object().is_some_and(Map::is_empty))
    }

    /// Both changes of the same object at once, so that Knative makes one revision of them.
    #[must_use]
    pub fn with(mut self, patch: Value) -> Self {
        merge(&mut self.patch, patch);
        self
    }

    /// Does it; in a dry run the API server only says whether it would.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn apply(&self, access: &Access, dry_run: bool) -> Result<(), ClusterError> {
        let resource = resource(self.kind);
        let objects: Api<DynamicObject> =
            Api::namespaced_with(access.client.clone(), &self.namespace, &resource);
        let params =
            PatchParams { dry_run, field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let done = objects.patch(&self.name, &params, &Patch::Merge(&self.patch)).await;
        done.map(drop).map_err(ClusterError::refused(format!("changing {}", self.object())))
    }
}

/// The kind of object, as its API is found.
pub(crate) fn resource(kind: Kind) -> ApiResource {
    match kind {
        Kind::KnativeService => knative::resource(),
        Kind::Deployment => ApiResource::erase::<k8s_openapi::api::apps::v1::Deployment>(&()),
        Kind::Service => ApiResource::erase::<k8s_openapi::api::core::v1::Service>(&()),
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(fields), Value::Object(others)) => {
            for (key, value) in others {
                merge(fields.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests;
