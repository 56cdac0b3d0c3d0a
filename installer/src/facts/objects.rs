//! Reads a cluster's objects.

use std::collections::BTreeMap;
use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use super::gather::Scope;
use super::{KnativeFact, Object, PodFact, Subject};
use crate::access::{Access, ClusterError};
use crate::function::knative::{self, KnativeService};
use crate::function::{BY_GATEWAY, DEFAULT_DOMAIN, Function, OpenFaasGateway, Platform, Upstream, list};
use crate::proxy::is_ready;

/// On EndpointSlices: the Service that they are of.
const SERVICE: &str = "kubernetes.io/service-name";

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
    access: &Access,
    scope: &Scope,
    pods: &[Pod],
) -> Result<Vec<Subject>, ClusterError> {
    let functions = list::list(&access.client, scope.namespace.as_deref(), DEFAULT_DOMAIN).await;
    let functions = functions.map_err(ClusterError::refused("reading functions"))?;
    let wanted = |function: &Function| {
        function.is_annotated() && scope.name.as_ref().is_none_or(|name| *name == function.name)
    };
    let services: Vec<Service> = all(access, "services").await?;
    let mut subjects = Vec::new();
    for function in functions.into_iter().filter(wanted) {
        let knative = match function.platform {
            Platform::Knative => knative_fact(access, &function).await?,
            _ => KnativeFact::default(),
        };
        let (speaks_grpc, openfaas) = (speaks_grpc(&function, &services), openfaas(&function, &services));
        subjects.push(Subject { pods: pods_of(&function, pods), speaks_grpc, openfaas, knative, function });
    }
    Ok(subjects)
}

fn openfaas(function: &Function, services: &[Service]) -> Option<OpenFaasGateway> {
    let gateway = function.route_by(BY_GATEWAY).ok()?;
    services.iter().any(|service| gateway.is(service)).then_some(gateway)
}

fn speaks_grpc(function: &Function, services: &[Service]) -> bool {
    let is_upstream = |service: &&Service| {
        let own = |upstream: &Upstream| upstream.service == service.name_any();
        service.namespace().as_ref() == Some(&function.namespace) && function.upstreams.iter().any(own)
    };
    let ports =
        services.iter().filter(is_upstream).filter_map(|service| service.spec.as_ref()?.ports.as_ref());
    ports.flatten().any(|port| {
        let said = port.app_protocol.as_deref().or(port.name.as_deref()).unwrap_or_default();
        said.split('-').next() == Some("grpc")
    })
}

/// Pods that its Services select and that aren't on their way out.
pub(super) fn pods_of(function: &Function, pods: &[Pod]) -> Vec<PodFact> {
    let is_its = |pod: &&Pod| {
        let selected = |upstream: &Upstream| is_selected(&upstream.pods, pod.labels());
        let leaving = pod.metadata.deletion_timestamp.is_some();
        !leaving
            && pod.namespace().as_ref() == Some(&function.namespace)
            && function.upstreams.iter().any(selected)
    };
    pods.iter().filter(is_its).map(pod_fact).collect()
}

fn is_selected(selector: &BTreeMap<String, String>, labels: &BTreeMap<String, String>) -> bool {
    !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

fn pod_fact(pod: &Pod) -> PodFact {
    let (spec, status) = (pod.spec.as_ref(), pod.status.as_ref());
    PodFact {
        name: pod.name_any(),
        ip: status.and_then(|status| status.pod_ip.clone()).unwrap_or_default(),
        node: spec.and_then(|spec| spec.node_name.clone()).unwrap_or_default(),
        ready: is_ready(pod),
    }
}

async fn knative_fact(access: &Access, function: &Function) -> Result<KnativeFact, ClusterError> {
    let resource = knative::resource();
    let services: Api<KnativeService> =
        Api::namespaced_with(access.client.clone(), &function.namespace, &resource);
    let service = services.get(&function.name).await;
    let service = service.map_err(ClusterError::refused(format!("reading {}", function.kubectl_name())))?;
    let slices: Api<EndpointSlice> = Api::namespaced(access.client.clone(), &function.namespace);
    let mut endpoints = Vec::new();
    for upstream in &function.upstreams {
        let list =
            slices.list(&ListParams::default().labels(&format!("{SERVICE}={}", upstream.service))).await;
        let list =
            list.map_err(ClusterError::refused(format!("reading endpoints of {}", upstream.service)))?;
        endpoints.extend(
            list.items.into_iter().flat_map(|slice| slice.endpoints).flat_map(|endpoint| endpoint.addresses),
        );
    }
    Ok(KnativeFact { template: service.spec.template.metadata.annotations, endpoints })
}
