//! Functions that are a Service, or a Deployment with its Services: whoever made them.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;

use super::{
    Function, Kind, Objects, Platform, STATUS, Upstream, annotations, is_knatives, of_object, openfaas,
};

/// On what Fission's executors make: which of them did.
const FISSION_EXECUTOR: (&str, &str) = ("executorType", "newdeploy");

/// Every Service is a function, annotated or not; so is a Deployment that is annotated itself. A Service of such a
/// Deployment belongs to it, unless it has annotations of its own: what is nearer to the requests counts.
pub(super) fn functions<'a>(
    objects: &'a Objects<'_>,
    domain: &'a str,
) -> impl Iterator<Item = Function> + 'a {
    let deployments =
        || objects.deployments.iter().copied().filter(|deployment| is_annotated_itself(deployment));
    let services = move || objects.services.iter().copied().filter(|service| is_candidate(service));
    let of_services = services()
        .filter(move |service| {
            is_annotated(service.annotations())
                || !deployments().any(|deployment| leads_to(service, deployment))
        })
        .map(|service| Function {
            upstreams: Upstream::of_service(service, domain),
            ..of_object(platform(service), Kind::Service, service)
        });
    let candidates =
        objects.deployments.iter().copied().filter(|deployment| is_candidate_deployment(deployment));
    let of_deployments = candidates.filter_map(move |deployment| {
        let function = of_object(platform(deployment), Kind::Deployment, deployment);
        let claimed = function.is_annotated().then(|| claimed(deployment, services(), domain)).flatten();
        match claimed {
            Some(upstreams) => Some(Function { upstreams, ..function }),
            None => once_said(function),
        }
    });
    of_services.chain(of_deployments)
}

/// The clusters of its Services that don't speak for themselves; nothing where all of them do.
fn claimed<'a>(
    deployment: &Deployment,
    services: impl Iterator<Item = &'a Service>,
    domain: &str,
) -> Option<Vec<Upstream>> {
    let (loud, silent): (Vec<_>, Vec<_>) = services
        .filter(|service| leads_to(service, deployment))
        .partition(|service| is_annotated(service.annotations()));
    let upstreams =
        silent.into_iter().flat_map(|service| Upstream::of_service(service, domain)).collect::<Vec<_>>();
    (!upstreams.is_empty() || loud.is_empty()).then_some(upstreams)
}

/// What asks for nothing any more, but still says how it was protected: that has to be taken away.
fn once_said(mut function: Function) -> Option<Function> {
    function.annotations.retain(|key, _| key == STATUS);
    (!function.annotations.is_empty()).then_some(function)
}

fn platform(object: &impl kube::ResourceExt) -> Platform {
    let (key, value) = FISSION_EXECUTOR;
    let by_fission = object.labels().get(key).is_some_and(|executor| executor == value);
    if by_fission { Platform::Fission } else { Platform::Plain }
}

/// Not those of other platforms, nor the API server's own.
fn is_candidate(service: &Service) -> bool {
    let elsewhere = service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("ExternalName");
    !elsewhere && !is_knatives(service) && !openfaas::is_service(service)
}

fn is_annotated_itself(deployment: &Deployment) -> bool {
    is_annotated(deployment.annotations()) && is_candidate_deployment(deployment)
}

fn is_candidate_deployment(deployment: &Deployment) -> bool {
    !is_knatives(deployment) && !openfaas::is_function(deployment)
}

fn is_annotated(all: &BTreeMap<String, String>) -> bool {
    annotations::has_settings(all)
}

/// Whether requests for the Service reach pods of the Deployment.
fn leads_to(service: &Service, deployment: &Deployment) -> bool {
    let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    let template = deployment.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
    let (Some(selector), Some(labels)) = (selector, template.and_then(|meta| meta.labels.as_ref())) else {
        return false;
    };
    service.namespace() == deployment.namespace()
        && !selector.is_empty()
        && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}
