//! Objects of any kind, applied on the server's side.

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::{ApiCapabilities, ApiResource, Scope, oneshot};
use kube::{Client, ResourceExt as _};
use serde_json::Value;

use super::{InstallError, MANAGER};
use crate::access::{Access, ClusterError};

/// An object that is to be in a cluster, or not.
#[derive(Debug, Clone)]
pub struct Item {
    /// As it was rendered.
    pub object: DynamicObject,
    gvk: GroupVersionKind,
}

impl Item {
    /// Reads an object as it is rendered.
    ///
    /// # Errors
    /// It has no `apiVersion`, `kind` or name.
    pub fn read(value: &Value) -> Result<Self, InstallError> {
        let wrong = || InstallError::Object(format!("this is no object of Kubernetes: {value}"));
        let object: DynamicObject = serde_json::from_value(value.clone()).map_err(|_| wrong())?;
        let types = object.types.clone().ok_or_else(wrong)?;
        let gvk = GroupVersionKind::try_from(&types).map_err(|_| wrong())?;
        if object.metadata.name.is_none() { Err(wrong()) } else { Ok(Self { object, gvk }) }
    }

    /// `Deployment steadfaas/controller`, as messages name it.
    #[must_use]
    pub fn in_words(&self) -> String {
        let place = self.object.namespace().map(|namespace| namespace + "/").unwrap_or_default();
        format!("{} {place}{}", self.gvk.kind, self.object.name_any())
    }

    /// Its kind, as manifests have it.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.gvk.kind
    }

    /// Where objects of its kind are; nothing where the cluster doesn't know the kind.
    async fn api(&self, client: &Client) -> Result<Option<Api<DynamicObject>>, ClusterError> {
        let (resource, capabilities) = match oneshot::pinned_kind(client, &self.gvk).await {
            Ok(known) => known,
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(None),
            Err(kube::Error::Discovery(_)) => return Ok(None),
            Err(error) => return Err(ClusterError::refused(format!("looking for {}", self.gvk.kind))(error)),
        };
        Ok(Some(self.at(client, &resource, &capabilities)))
    }

    fn at(
        &self,
        client: &Client,
        resource: &ApiResource,
        capabilities: &ApiCapabilities,
    ) -> Api<DynamicObject> {
        match (&capabilities.scope, self.object.namespace()) {
            (Scope::Namespaced, Some(namespace)) => {
                Api::namespaced_with(client.clone(), &namespace, resource)
            }
            _ => Api::all_with(client.clone(), resource),
        }
    }

    /// It was refused for the lack of a namespace that is one of `items`: a dry run makes none.
    fn lacks_namespace(&self, error: &kube::Error, items: &[Self]) -> bool {
        let is_its = |item: &&Self| {
            item.kind() == "Namespace" && Some(item.object.name_any()) == self.object.namespace()
        };
        let missing = matches!(error, kube::Error::Api(status) if status.code == 404);
        missing && items.iter().any(|item| is_its(&item))
    }

    /// Takes it away. Says whether it was there.
    pub(super) async fn delete(&self, access: &Access) -> Result<bool, ClusterError> {
        let Some(api) = self.api(&access.client).await? else { return Ok(false) };
        // What belongs to it goes first: it is gone when it is gone.
        delete(&api, &self.object.name_any(), &DeleteParams::foreground(), &self.in_words()).await
    }

    /// Whether it is there.
    pub(super) async fn exists(&self, access: &Access) -> Result<bool, ClusterError> {
        let Some(api) = self.api(&access.client).await? else { return Ok(false) };
        let found = api.get_metadata_opt(&self.object.name_any()).await;
        Ok(found.map_err(ClusterError::refused(format!("reading {}", self.in_words())))?.is_some())
    }
}

/// Takes the object with this name away; messages call it `in_words`. Says whether it was there: somebody may have been
/// quicker.
pub(super) async fn delete(
    api: &Api<DynamicObject>,
    name: &str,
    params: &DeleteParams,
    in_words: &str,
) -> Result<bool, ClusterError> {
    match api.delete(name, params).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(error) => Err(ClusterError::refused(format!("deleting {in_words}"))(error)),
    }
}

/// Applies them in their order; in a dry run the API server only says whether it would.
///
/// # Errors
/// One is refused; those before it are there.
pub async fn apply(
    access: &Access,
    items: &[Item],
    dry_run: bool,
    say: impl Fn(&str),
) -> Result<(), InstallError> {
    for item in items {
        let api = item.api(&access.client).await?;
        let api = api.ok_or_else(|| {
            InstallError::Object(format!(
                "{} can't be applied: the cluster doesn't know this kind",
                item.in_words()
            ))
        })?;
        let params = PatchParams { dry_run, ..PatchParams::apply(MANAGER).force() };
        let done = api.patch(&item.object.name_any(), &params, &Patch::Apply(&item.object)).await;
        if dry_run && done.as_ref().is_err_and(|error| item.lacks_namespace(error, items)) {
            say(&format!("{}, once its namespace is there", item.in_words()));
            continue;
        }
        done.map_err(ClusterError::refused(format!("applying {}", item.in_words())))?;
        say(&item.in_words());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_named_by_kind_and_place() {
        let filter = json!({
            "apiVersion": "networking.istio.io/v1alpha3",
            "kind": "EnvoyFilter",
            "metadata": { "name": "steadfaas", "namespace": "istio-system" },
            "spec": {},
        });
        assert_eq!(Item::read(&filter).unwrap().in_words(), "EnvoyFilter istio-system/steadfaas");
        let role = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "steadfaas" } });
        assert_eq!(Item::read(&role).unwrap().in_words(), "Namespace steadfaas");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for wrong in [json!({}), json!({ "apiVersion": "v1", "kind": "Pod", "metadata": {} }), json!([])] {
            assert!(Item::read(&wrong).unwrap_err().to_string().starts_with("this is no object"), "{wrong}");
        }
    }
}
