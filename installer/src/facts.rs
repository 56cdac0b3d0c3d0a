//! What was found in a cluster and in its proxies: `doctor` and `status` look at nothing else.

pub mod gather;
mod objects;
mod proxies;

use std::collections::BTreeMap;

use serde_json::Value;
use steadfaas_core::policy::{Policy, PolicyError};

use crate::controller::status::{Condition, Status, Truth};
use crate::envoy_filter::{IstioVersion, PART};
use crate::function::{DEFAULT_DOMAIN, Function, OpenFaasGateway, ROUTE, STATUS};
use crate::proxy::{Metrics, ProtectedCluster, Proxy, Report};
use crate::virtual_service::resolve;

/// All that is looked at.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The API server knows EnvoyFilters.
    pub has_envoy_filters: bool,
    /// The Istio that configures the proxies.
    pub istiod: Istiod,
    /// The functions that are to be protected.
    pub subjects: Vec<Subject>,
    /// All EnvoyFilters.
    pub envoy_filters: Vec<Object>,
    /// All VirtualServices.
    pub virtual_services: Vec<Object>,
    /// All DestinationRules.
    pub destination_rules: Vec<Object>,
    /// All Gateways.
    pub gateways: Vec<Object>,
    /// The proxies that were asked.
    pub proxies: Vec<Asked>,
    /// How many proxies there are; those beyond [`Facts::proxies`] were not asked.
    pub proxies_in_all: usize,
}

/// The Istio that configures the proxies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Istiod {
    /// Its version, where its image or a proxy tells it.
    pub version: Option<IstioVersion>,
    /// Variables of its environment.
    pub variables: BTreeMap<String, String>,
}

/// A function that is to be protected, and what there is of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What its platform made of it.
    pub function: Function,
    /// Its pods that aren't on their way out.
    pub pods: Vec<PodFact>,
    /// A port of its Services is named for gRPC.
    pub speaks_grpc: bool,
    /// The gateway of OpenFaaS that sends to its pods past the mesh, where there is one.
    pub openfaas: Option<OpenFaasGateway>,
    /// What only Knative has.
    pub knative: KnativeFact,
}

/// What only a function of Knative has; empty for others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnativeFact {
    /// The template's annotations.
    pub template: BTreeMap<String, String>,
    /// Addresses behind the Services that clients' requests go to.
    pub endpoints: Vec<String>,
}

/// A pod of a function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodFact {
    /// Its name.
    pub name: String,
    /// Its address.
    pub ip: String,
    /// Its node.
    pub node: String,
    /// It is ready.
    pub ready: bool,
}

/// An object of Istio, as the API server gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its `spec`.
    pub spec: Value,
}

/// A proxy and what it said.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which one.
    pub proxy: Proxy,
    /// What it said, or why it didn't.
    pub report: Result<Report, String>,
    /// What its filter had counted a while before; nothing where it was asked only once.
    pub before: BTreeMap<String, Metrics>,
}

impl Subject {
    /// As messages name it: `deployment default/fib`.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("{} {}", self.function.kind.kubectl(), self.function.id())
    }

    /// What its annotations mean.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn policy(&self) -> Result<Policy, PolicyError> {
        self.function.policy()
    }

    /// K, where the policy is right.
    pub(crate) fn tolerate(&self) -> Option<usize> {
        self.policy().ok().map(|policy| usize::from(policy.tolerate))
    }

    /// What the controller says of it; nothing where it says nothing.
    pub(crate) fn status(&self) -> Option<Status> {
        Status::read(self.function.annotations.get(STATUS)?)
    }

    /// What the controller says isn't as it should be.
    pub(crate) fn complaints(&self) -> Vec<Condition> {
        let conditions = self.status().map(|status| status.conditions).unwrap_or_default();
        conditions.into_iter().filter(|condition| condition.status == Truth::False).collect()
    }

    /// Pods that take requests.
    pub(crate) fn ready(&self) -> impl Iterator<Item = &PodFact> {
        self.pods.iter().filter(|pod| pod.ready)
    }

    /// This is one of the hosts by which its requests are sent.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        self.function.upstreams.iter().any(|upstream| upstream.host == host)
    }

    /// This is one of its clusters in Envoy.
    pub(crate) fn has_cluster(&self, cluster: &ProtectedCluster) -> bool {
        self.function.upstreams.iter().any(|upstream| upstream.cluster() == cluster.name)
    }

    /// `steadfaas COMMAND NAME -n NAMESPACE` and what comes after it.
    pub(crate) fn command(&self, command: &str, rest: &str) -> String {
        let Function { namespace, name, .. } = &self.function;
        format!("steadfaas {command} {name} -n {namespace} {rest}").trim_end().to_owned()
    }

    /// `steadfaas protect --scale` with the settings that it has: what isn't said would be taken away.
    pub(crate) fn scale(&self) -> String {
        let mut settings = self.function.written().settings;
        settings
            .extend(self.function.annotations.get(ROUTE).map(|route| ("route".to_owned(), route.clone())));
        let words: String = settings.iter().map(|(key, value)| format!("--{key} {value} ")).collect();
        self.command("protect", &(words + "--scale"))
    }

    /// `kubectl VERB -n NAMESPACE KIND/NAME`.
    pub(crate) fn kubectl(&self, verb: &str) -> String {
        format!("kubectl {verb} -n {} {}", self.function.namespace, self.function.kubectl_name())
    }
}

impl Object {
    /// The host that an object of this namespace means.
    pub(crate) fn resolve(&self, host: &str) -> String {
        resolve(host, &self.namespace, DEFAULT_DOMAIN)
    }

    /// It is one that steadfaas wrote.
    pub(crate) fn is_ours(&self) -> bool {
        self.labels.contains_key(PART)
    }
}
