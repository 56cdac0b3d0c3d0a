//! A function: what a user annotates, and the Envoy clusters that its requests go to.
//!
//! What a platform makes of a function is read from its objects by pure code, a file for each platform: [`knative`],
//! [`openfaas`], and [`service`] for all that is a Service or a Deployment, Fission's among them. [`list`] fetches the
//! objects.

mod annotations;
mod index;
pub mod knative;
pub mod list;
pub mod openfaas;
mod route;
pub mod service;
mod upstream;

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ObjectReference, Service};
use steadfaas_core::policy::{Policy, PolicyError, WrittenPolicy};

pub use annotations::{PREFIX, ROUTE, STANDBY_FOR, STATUS};
pub use route::{BY_GATEWAY, OpenFaasGateway, RouteError};
pub(crate) use upstream::full_name;
pub use upstream::{Protocol, Upstream};

use self::index::Index;
use self::knative::KnativeService;

/// The DNS domain of most clusters; Services' full names end in it.
pub const DEFAULT_DOMAIN: &str = "cluster.local";

/// Who made the objects that a function consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Platform {
    /// A Service of Knative Serving.
    Knative,
    /// A function of OpenFaaS: a Deployment and a Service of its name.
    OpenFaas,
    /// A Deployment and its Service that Fission's executor `newdeploy` made.
    Fission,
    /// A Service, or a Deployment with its Services, that somebody made.
    Plain,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Knative => "Knative",
            Self::OpenFaas => "OpenFaaS",
            Self::Fission => "Fission",
            Self::Plain => "Kubernetes",
        })
    }
}

/// The kind of object that carries a function's annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `serving.knative.dev/v1` Service.
    KnativeService,
    /// `apps/v1` Deployment.
    Deployment,
    /// `v1` Service.
    Service,
}

impl Kind {
    /// As manifests have it in `apiVersion`.
    #[must_use]
    pub fn api_version(self) -> &'static str {
        match self {
            Self::KnativeService => "serving.knative.dev/v1",
            Self::Deployment => "apps/v1",
            Self::Service => "v1",
        }
    }

    /// As manifests have it in `kind`.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::KnativeService | Self::Service => "Service",
            Self::Deployment => "Deployment",
        }
    }

    /// As `kubectl` takes it in front of a name.
    #[must_use]
    pub fn kubectl(self) -> &'static str {
        match self {
            Self::KnativeService => "ksvc",
            Self::Deployment => "deployment",
            Self::Service => "service",
        }
    }
}

/// What a user annotates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Who made it.
    pub platform: Platform,
    /// The kind of the object that is annotated.
    pub kind: Kind,
    /// That object's namespace; all that belongs to the function is in it.
    pub namespace: String,
    /// That object's name.
    pub name: String,
    /// That object's UID.
    pub uid: String,
    /// Its annotations under [`PREFIX`], with their whole keys.
    pub annotations: BTreeMap<String, String>,
    /// The ports of Services that its requests go to, each a cluster in Envoy. None: it has no port that speaks HTTP, or
    /// no revision yet.
    pub upstreams: Vec<Upstream>,
}

impl Function {
    /// As metrics and messages call it: `namespace/name`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// As `kubectl` takes it: `ksvc/fib`.
    #[must_use]
    pub fn kubectl_name(&self) -> String {
        format!("{}/{}", self.kind.kubectl(), self.name)
    }

    /// The object, as Events refer to it.
    #[must_use]
    pub fn reference(&self) -> ObjectReference {
        ObjectReference {
            api_version: Some(self.kind.api_version().to_owned()),
            kind: Some(self.kind.kind().to_owned()),
            namespace: Some(self.namespace.clone()),
            name: Some(self.name.clone()),
            uid: Some(self.uid.clone()),
            ..ObjectReference::default()
        }
    }

    /// Whether somebody asked for its protection, rightly or not.
    #[must_use]
    pub fn is_annotated(&self) -> bool {
        annotations::has_settings(&self.annotations)
    }

    /// What stands in its annotations, as it travels to the filter.
    #[must_use]
    pub fn written(&self) -> WrittenPolicy {
        WrittenPolicy::new(self.id(), annotations::settings(&self.annotations))
    }

    /// What its annotations mean.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn policy(&self) -> Result<Policy, PolicyError> {
        Policy::compile(&self.written())
    }
}

/// The objects that functions are made of, of one namespace or of all.
#[derive(Debug, Clone, Default)]
pub struct Objects<'a> {
    /// Knative's Services; none where Knative isn't installed.
    pub knative: Vec<&'a KnativeService>,
    /// Services.
    pub services: Vec<&'a Service>,
    /// Deployments.
    pub deployments: Vec<&'a Deployment>,
}

/// All functions among these objects, annotated or not, by namespace and name. `domain` is the cluster's own.
#[must_use]
pub fn functions(objects: &Objects<'_>, domain: &str) -> Vec<Function> {
    let index = Index::of(&objects.services, knative::MADE_FOR);
    let knative = objects.knative.iter().map(|service| knative::function(service, &index, domain));
    let openfaas = openfaas::functions(objects, &index, domain);
    let plain = service::functions(objects, &index, domain);
    let mut functions: Vec<Function> = knative.chain(openfaas).chain(plain).collect();
    functions.sort_by(|one, other| {
        (&one.namespace, &one.name, one.kind).cmp(&(&other.namespace, &other.name, other.kind))
    });
    functions
}

/// A function of this object, without upstreams.
fn of_object(platform: Platform, kind: Kind, object: &impl kube::ResourceExt) -> Function {
    Function {
        platform,
        kind,
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
        annotations: annotations::ours(object.annotations()),
        upstreams: Vec::new(),
    }
}

/// Whether a Service or Deployment was made by Knative for one of its own: those aren't functions by themselves, even
/// where they inherit annotations.
fn is_knatives(object: &impl kube::ResourceExt) -> bool {
    let labels = object.labels();
    labels.keys().any(|key| {
        key.starts_with("serving.knative.dev/") || key.starts_with("networking.internal.knative.dev/")
    })
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
