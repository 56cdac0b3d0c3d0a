//! Reads a cluster's objects.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

use super::super::{Object, Subject};
use crate::access::{Access, ClusterError};

/// Objects of a kind that Kubernetes itself has, of all namespaces.
pub(super) async fn all<K>(access: &Access, what: &str) -> Result<Vec<K>, ClusterError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    let api: Api<K> = Api::all(access.client.clone());
    let list = api.list(&ListParams::default()).await;
    Ok(list.map_err(ClusterError::refused(format!("reading {what}")))?.items)
}

/// Objects of one of Istio's kinds, of all namespaces; none where the cluster doesn't know the kind.
pub(super) async fn istio(access: &Access, kind: &str) -> Result<Option<Vec<Object>>, ClusterError> {
    // Its stable version has all kinds but EnvoyFilter, which never left this one.
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("networking.istio.io", "v1alpha3", kind));
    let api: Api<DynamicObject> = Api::all_with(access.client.clone(), &resource);
    match api.list(&ListParams::default()).await {
        Ok(list) => Ok(Some(list.items.into_iter().map(object).collect())),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(ClusterError::refused(format!("reading {kind}s"))(error)),
    }
}

fn object(object: DynamicObject) -> Object {
    Object {
        namespace: object.metadata.namespace.unwrap_or_default(),
        name: object.metadata.name.unwrap_or_default(),
        labels: object.metadata.labels.unwrap_or_default(),
        spec: object.data.get("spec").cloned().unwrap_or_default(),
    }
}

/// The functions that are to be protected.
pub(super) async fn subjects(
    _access: &Access,
    _pods: &[k8s_openapi::api::core::v1::Pod],
) -> Result<Vec<Subject>, ClusterError> {
    Ok(Vec::new())
}
