//! Functions of Knative Serving: the annotation is on the Service's own metadata, the requests go to its revisions.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;
use kube::core::Object;
use kube::discovery::ApiResource;
use serde::{Deserialize, Serialize};

use super::index::Index;
use super::upstream::full_name;
use super::{Function, Kind, Platform, Protocol, Upstream, of_object};

/// A Service of Knative Serving, as far as it is looked at.
pub type KnativeService = Object<Spec, Status>;

/// On pods: the revision they belong to.
const REVISION: &str = "serving.knative.dev/revision";

/// On Services: the revision they were made for.
pub(super) const MADE_FOR: &str = "networking.internal.knative.dev/serverlessservice";

/// On those Services: `Private` is the one whose endpoints are always the pods.
const SERVICE_TYPE: &str = "networking.internal.knative.dev/serviceType";

/// The port of a revision's Service for HTTP/1.1, and for HTTP/2: fixed in Knative.
const PORTS: [(u16, Protocol); 2] = [(80, Protocol::Http1), (81, Protocol::Http2)];

/// What is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// What revisions are made from.
    #[serde(default)]
    pub template: Template,
}

/// What revisions are made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Its metadata.
    #[serde(default)]
    pub metadata: TemplateMetadata,
}

/// Metadata of the template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateMetadata {
    /// Its annotations: among them the autoscaler's.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// What there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The newest revision, ready or not: the next one to take requests.
    #[serde(default)]
    pub latest_created_revision_name: Option<String>,
    /// Who takes requests.
    #[serde(default)]
    pub traffic: Vec<Traffic>,
}

/// A revision that takes requests: a share of the function's, or those for a tag, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// Its name.
    #[serde(default)]
    pub revision_name: Option<String>,
    /// Its share of the function's requests; none, or 0, where it is only called by its tag.
    #[serde(default)]
    pub percent: Option<i64>,
}

/// The kind of [`KnativeService`].
#[must_use]
pub fn resource() -> ApiResource {
    ApiResource {
        group: "serving.knative.dev".to_owned(),
        version: "v1".to_owned(),
        api_version: Kind::KnativeService.api_version().to_owned(),
        kind: Kind::KnativeService.kind().to_owned(),
        plural: "services".to_owned(),
    }
}

/// The function that a Knative Service is. `services` are the plain ones of its namespace, or more.
pub(super) fn function(service: &KnativeService, services: &Index<'_>, domain: &str) -> Function {
    let mut function = of_object(Platform::Knative, Kind::KnativeService, service);
    let namespace = &function.namespace;
    let of = |(revision, takes_share)| upstreams(namespace, revision, takes_share, services, domain);
    function.upstreams = revisions(service).into_iter().flat_map(of).collect();
    function
}

/// Those that take requests, and the newest one: it has the policy before its first request. With each goes whether it
/// has a share of the function's.
fn revisions(service: &KnativeService) -> BTreeMap<&str, bool> {
    let mut revisions = BTreeMap::new();
    let Some(status) = &service.status else { return revisions };
    for traffic in &status.traffic {
        if let Some(revision) = &traffic.revision_name {
            *revisions.entry(revision.as_str()).or_default() |= traffic.percent.unwrap_or_default() > 0;
        }
    }
    if let Some(newest) = &status.latest_created_revision_name {
        revisions.entry(newest).or_default();
    }
    revisions
}

/// A revision is called through its public Service, whose endpoints Knative writes: the pods, or activators.
fn upstreams(
    namespace: &str,
    revision: &str,
    takes_share: bool,
    services: &Index<'_>,
    domain: &str,
) -> Vec<Upstream> {
    let private =
        |service: &&&Service| service.labels().get(SERVICE_TYPE).is_some_and(|kind| kind == "Private");
    let public = services.named(namespace, revision);
    let pods = services.labelled(namespace, MADE_FOR, revision).iter().find(private);
    let upstream = |(port, protocol)| Upstream {
        service: revision.to_owned(),
        host: full_name(revision, namespace, domain),
        port,
        protocol,
        takes_share,
        pods_service: pods.map_or_else(|| format!("{revision}-private"), |service| service.name_any()),
        pods: [(REVISION.to_owned(), revision.to_owned())].into(),
    };
    let [http1, _] = PORTS;
    match public {
        // It is made a moment after the revision; nearly all speak HTTP/1.1.
        None => vec![upstream(http1)],
        Some(service) => {
            PORTS.into_iter().filter(|(port, _)| has_port(service, *port)).map(upstream).collect()
        }
    }
}

fn has_port(service: &Service, port: u16) -> bool {
    let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    ports.into_iter().any(|known| known.port == i32::from(port))
}
