//! Reads a cluster's objects and asks its proxies. Decides nothing.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;

use super::{Asked, Facts, Istiod, PodFact, objects, proxies};
use crate::access::{Access, ClusterError};
use crate::envoy_filter::IstioVersion;
use crate::function::Function;
use crate::proxy::Proxy;

/// What is to be looked at.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Functions of this namespace only.
    pub namespace: Option<String>,
    /// The function of this name only.
    pub name: Option<String>,
    /// Every proxy, not only gateways and the first sidecars.
    pub all_proxies: bool,
    /// Proxies are asked twice, this long apart, to see what they count in between.
    pub twice: Option<Duration>,
}

/// Everything within `scope`.
///
/// # Errors
/// The API server refuses something.
pub async fn facts(access: &Access, scope: &Scope) -> Result<Facts, ClusterError> {
    let pods: Vec<Pod> = objects::all(access, "pods").await?;
    let envoy_filters = objects::istio(access, "EnvoyFilter").await?;
    let subjects = objects::subjects(access, scope, &pods).await?;
    let mut proxies: Vec<Proxy> = pods.iter().filter_map(Proxy::of).collect();
    let proxies_in_all = proxies.len();
    proxies::choose(&mut proxies, scope.all_proxies);
    let asked = proxies::ask(access, proxies, scope.twice).await;
    Ok(Facts {
        has_envoy_filters: envoy_filters.is_some(),
        istiod: istiod(&pods, &asked),
        subjects,
        envoy_filters: envoy_filters.unwrap_or_default(),
        virtual_services: objects::istio(access, "VirtualService").await?.unwrap_or_default(),
        destination_rules: objects::istio(access, "DestinationRule").await?.unwrap_or_default(),
        gateways: objects::istio(access, "Gateway").await?.unwrap_or_default(),
        proxies: asked,
        proxies_in_all,
    })
}

/// A function's pods that aren't on their way out.
///
/// # Errors
/// The API server refuses.
pub async fn pods_of(access: &Access, function: &Function) -> Result<Vec<PodFact>, ClusterError> {
    let pods: Api<Pod> = Api::namespaced(access.client.clone(), &function.namespace);
    let pods = pods.list(&ListParams::default()).await.map_err(ClusterError::refused("reading pods"))?;
    Ok(objects::pods_of(function, &pods.items))
}

/// istiod's pod tells its version by its image; where it runs elsewhere, the oldest proxy has to do.
fn istiod(pods: &[Pod], proxies: &[Asked]) -> Istiod {
    let app = |pod: &Pod| pod.metadata.labels.as_ref().and_then(|labels| labels.get("app").cloned());
    let of_istiod = pods.iter().filter(|pod| app(pod).as_deref() == Some("istiod"));
    let mut istiod = Istiod::default();
    for container in of_istiod.filter_map(|pod| pod.spec.as_ref()?.containers.first()) {
        let tag = container.image.as_deref().and_then(|image| image.rsplit_once(':'));
        istiod.version = istiod.version.or(tag.and_then(|(_, tag)| IstioVersion::read(tag)));
        let written = container.env.iter().flatten();
        let variables = written.filter_map(|variable| Some((variable.name.clone(), variable.value.clone()?)));
        istiod.variables.extend(variables);
    }
    let of_proxy = |asked: &Asked| IstioVersion::read(asked.report.as_ref().ok()?.identity.istio.as_ref()?);
    istiod.version = istiod.version.or_else(|| proxies.iter().filter_map(of_proxy).min());
    istiod
}
