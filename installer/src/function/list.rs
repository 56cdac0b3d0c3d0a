//! The functions of a cluster, from its API server.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use kube::api::{Api, ListParams};
use kube::core::{DynamicResourceScope, NamespaceResourceScope};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;

use super::knative::{self, KnativeService};
use super::{Function, Objects, functions};

/// So many objects come in one answer: as many as kubectl asks for.
const PAGE: u32 = 500;

/// All functions, annotated or not, of one namespace or of all. `domain` is the cluster's own.
///
/// # Errors
/// The API server can't be asked, or refuses.
pub async fn list(client: &Client, namespace: Option<&str>, domain: &str) -> kube::Result<Vec<Function>> {
    let knative = all(knatives(client, namespace)).await;
    let services: Vec<Service> = all(of(client, namespace)).await?;
    let deployments: Vec<Deployment> = all(of(client, namespace)).await?;
    let knative: Vec<KnativeService> = match knative {
        // There is no Knative here. For a group that it doesn't know the API server says 404 without a reason.
        Err(kube::Error::Api(status)) if status.code == 404 => Vec::new(),
        other => other?,
    };
    let objects = Objects {
        knative: knative.iter().collect(),
        services: services.iter().collect(),
        deployments: deployments.iter().collect(),
    };
    Ok(functions(&objects, domain))
}

fn of<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    namespace.map_or_else(|| Api::all(client.clone()), |name| Api::namespaced(client.clone(), name))
}

fn knatives(client: &Client, namespace: Option<&str>) -> Api<KnativeService>
where
    KnativeService: Resource<Scope = DynamicResourceScope>,
{
    let resource = knative::resource();
    match namespace {
        None => Api::all_with(client.clone(), &resource),
        Some(name) => Api::namespaced_with(client.clone(), name, &resource),
    }
}

/// Every object, page by page.
async fn all<K: Clone + DeserializeOwned + std::fmt::Debug>(api: Api<K>) -> kube::Result<Vec<K>> {
    let mut found = Vec::new();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page = api.list(&params).await?;
        found.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            None => return Ok(found),
            Some(token) => params = params.continue_token(&token),
        }
    }
}
