//! Functions that are a Service, or a Deployment with its Services: whoever made them.

use std::collections::{BTreeMap, HashSet};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;

use super::index::Index;
use super::{
    Function, Kind, Objects, Platform, STATUS, Upstream, annotations, is_knatives, of_object, openfaas,
};

/// On what Fission's executors make: which of them did.
const FISSION_EXECUTOR: (&str, &str) = ("executorType", "newdeploy");

/// Every Service is a function, annotated or not; so is a Deployment that is annotated itself. A Service of such a
/// Deployment belongs to it, unless it has annotations of its own: what is nearer to the requests counts.
pub(super) fn functions<'a>(
    objects: &'a Objects<'_>,
    index: &'a Index<'_>,
    domain: &'a str,
) -> impl Iterator<Item = Function> + 'a {
    let deployments = objects.deployments.iter().filter(|deployment| is_annotated_itself(deployment));
    let theirs: HashSet<_> =
        deployments.flat_map(|deployment| index.leading_to(deployment)).map(id).collect();
    let services = objects.services.iter().copied().filter(|service| is_candidate(service));
    let of_services = services
        .filter(move |service| is_annotated(service.annotations()) || !theirs.contains(&id(service)))
        .map(|service| Function {
            upstreams: Upstream::of_service(service, domain),
            ..of_object(platform(service), Kind::Service, service)
        });
    let candidates =
        objects.deployments.iter().copied().filter(|deployment| is_candidate_deployment(deployment));
    let of_deployments = candidates.filter_map(move |deployment| {
        let function = of_object(platform(deployment), Kind::Deployment, deployment);
        let claimed = function.is_annotated().then(|| claimed(deployment, index, domain)).flatten();
        match claimed {
            Some(upstreams) => Some(Function { upstreams, ..function }),
            None => once_said(function),
        }
    });
    of_services.chain(of_deployments)
}

/// The clusters of its Services that don't speak for themselves; nothing where all of them do.
fn claimed(deployment: &Deployment, index: &Index<'_>, domain: &str) -> Option<Vec<Upstream>> {
    let services = index.leading_to(deployment).into_iter().filter(|service| is_candidate(service));
    let (loud, silent): (Vec<_>, Vec<_>) = services.partition(|service| is_annotated(service.annotations()));
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

/// What tells a Service from others.
fn id(service: &Service) -> (Option<&str>, Option<&str>) {
    (service.metadata.namespace.as_deref(), service.metadata.name.as_deref())
}
