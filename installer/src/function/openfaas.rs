//! Functions of OpenFaaS: a Deployment and a Service of one name, to both of which faas-netes copies the annotations.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;

use super::index::Index;
use super::{Function, Kind, Objects, Platform, Upstream, annotations, of_object};

/// On the Deployment, and in the Service's selector: the function's name.
const FUNCTION: &str = "faas_function";

/// The functions of OpenFaaS among the objects.
pub(super) fn functions<'a>(
    objects: &'a Objects<'_>,
    index: &'a Index<'_>,
    domain: &'a str,
) -> impl Iterator<Item = Function> + 'a {
    objects.deployments.iter().filter(|deployment| is_function(deployment)).map(move |deployment| {
        let metadata = &deployment.metadata;
        let (namespace, name) = (metadata.namespace.as_deref(), metadata.name.as_deref());
        let service = index.named(namespace.unwrap_or_default(), name.unwrap_or_default());
        function(deployment, service.filter(|service| is_service(service)), domain)
    })
}

/// The annotations of the Deployment count, else those of the Service: whoever annotates by hand may take either.
fn function(deployment: &Deployment, service: Option<&Service>, domain: &str) -> Function {
    let mut function = of_object(Platform::OpenFaas, Kind::Deployment, deployment);
    let Some(service) = service else { return function };
    if !function.is_annotated() {
        function.annotations.extend(annotations::ours(service.annotations()));
    }
    function.upstreams = Upstream::of_service(service, domain);
    function
}

/// Whether the Deployment is a function of OpenFaaS.
pub(super) fn is_function(deployment: &Deployment) -> bool {
    deployment.labels().get(FUNCTION).is_some_and(|name| *name == deployment.name_any())
}

/// Whether the Service leads to a function of OpenFaaS.
pub(super) fn is_service(service: &Service) -> bool {
    selected(service).is_some_and(|name| *name == service.name_any())
}

fn selected(service: &Service) -> Option<&String> {
    service.spec.as_ref()?.selector.as_ref()?.get(FUNCTION)
}
