//! What was found in a cluster and in its proxies.

use std::collections::BTreeMap;

use serde_json::Value;
use steadfaas_core::policy::Policy;

use super::{Finding, IstioVersion};
use crate::proxy::{Metrics, Proxy, Report};

/// All that the checks look at.
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

/// A function, as the checks see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What it is, as kubectl names it: `ksvc`, `deployment`, `service`.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who runs it.
    pub platform: Platform,
    /// The policy that its annotations make, or why they make none.
    pub policy: Result<Policy, String>,
    /// It says itself which of its requests may run twice.
    pub says_idempotent: bool,
    /// Full names of the Services through which its requests reach it.
    pub hosts: Vec<String>,
    /// Those Services' ports for requests: the Service's name, the port's number, its name and its `appProtocol`.
    pub ports: Vec<PortFact>,
    /// Its pods that aren't on their way out.
    pub pods: Vec<PodFact>,
    /// Addresses behind the Service that clients' requests go to.
    pub endpoints: Vec<String>,
    /// The annotations of Knative's template.
    pub template: BTreeMap<String, String>,
}

/// Who runs a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Knative Serving.
    Knative,
    /// OpenFaaS.
    OpenFaas,
    /// Nobody but Kubernetes.
    Kubernetes,
}

/// A port for requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortFact {
    /// The Service's name.
    pub service: String,
    /// Its number.
    pub number: i32,
    /// Its name, empty if it has none.
    pub name: String,
    /// What it says it speaks, if it says so.
    pub app_protocol: Option<String>,
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
    /// What its filter had counted a while before.
    pub before: BTreeMap<String, Metrics>,
}

impl Subject {
    /// As messages name it, and as kubectl finds it with `-n`.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("{} {}/{}", self.kind, self.namespace, self.name)
    }

    /// K, where the policy is right.
    pub(super) fn tolerate(&self) -> Option<usize> {
        self.policy.as_ref().ok().map(|policy| usize::from(policy.tolerate))
    }

    /// Pods that take requests.
    pub(super) fn ready(&self) -> impl Iterator<Item = &PodFact> {
        self.pods.iter().filter(|pod| pod.ready)
    }

    /// `steadfaas COMMAND NAME -n NAMESPACE` and what comes after it.
    pub(super) fn command(&self, command: &str, rest: &str) -> String {
        format!("steadfaas {command} {} -n {} {rest}", self.name, self.namespace).trim_end().to_owned()
    }

    /// `kubectl annotate` with the key of the contract and its value.
    pub(super) fn annotate(&self, key: &str, value: &str) -> String {
        let Self { kind, namespace, name, .. } = self;
        format!("kubectl annotate --overwrite -n {namespace} {kind} {name} steadfaas.dev/{key}={value}")
    }
}

impl Object {
    /// The host that an object of this namespace means: a name without dots is a Service beside it.
    pub(super) fn resolve(&self, host: &str) -> String {
        if host.contains('.') || host == "*" {
            host.to_owned()
        } else {
            format!("{host}.{}.svc.cluster.local", self.namespace)
        }
    }
}

/// What the policy's own errors say.
pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    let wrong = facts.subjects.iter().filter_map(|subject| Some((subject, subject.policy.as_ref().err()?)));
    let finding = |(subject, error): (&Subject, &String)| {
        Finding::problem("annotations", subject.in_words()).says(
            format!("{error}; its last good policy stays, or none"),
            format!("kubectl edit -n {} {} {}", subject.namespace, subject.kind, subject.name),
        )
    };
    wrong.map(finding).collect()
}
