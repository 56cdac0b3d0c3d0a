//! The facts of a cluster: reads its objects and asks its proxies. Decides nothing.

mod objects;
mod proxies;

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;

use super::{Asked, Facts, IstioVersion, Istiod};
use crate::access::{Access, ClusterError};
use crate::proxy::Proxy;

/// Time between the two looks at what the filters count: they hand it over once a second.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2_500);

/// Everything that the checks look at.
///
/// # Errors
/// The API server refuses something.
pub async fn facts(access: &Access, all_proxies: bool) -> Result<Facts, ClusterError> {
    let pods: Vec<Pod> = objects::all(access, "pods").await?;
    let envoy_filters = objects::istio(access, "EnvoyFilter").await?;
    let subjects = objects::subjects(access, &pods).await?;
    let mut proxies: Vec<Proxy> = pods.iter().filter_map(Proxy::of).collect();
    let proxies_in_all = proxies.len();
    proxies::choose(&mut proxies, all_proxies);
    let asked = proxies::ask_twice(access, proxies, BETWEEN_LOOKS).await;
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

/// istiod's pod tells its version by its image; where it runs elsewhere, the oldest proxy has to do.
fn istiod(pods: &[Pod], proxies: &[Asked]) -> Istiod {
    let is_istiod = |pod: &&Pod| {
        pod.metadata
            .labels
            .as_ref()
            .is_some_and(|labels| labels.get("app").is_some_and(|app| app == "istiod"))
    };
    let containers = pods.iter().filter(is_istiod).filter_map(|pod| pod.spec.as_ref()?.containers.first());
    let mut istiod = Istiod::default();
    for container in containers {
        let tag = container.image.as_deref().and_then(|image| image.rsplit_once(':'));
        istiod.version = istiod.version.or(tag.and_then(|(_, tag)| IstioVersion::read(tag)));
        let variables = container.env.iter().flatten();
        istiod
            .variables
            .extend(variables.filter_map(|variable| Some((variable.name.clone(), variable.value.clone()?))));
    }
    let of_proxy = |asked: &Asked| IstioVersion::read(asked.report.as_ref().ok()?.identity.istio.as_ref()?);
    istiod.version = istiod.version.or_else(|| proxies.iter().filter_map(of_proxy).min());
    istiod
}
