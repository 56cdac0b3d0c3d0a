//! Where a function's replicas are and who stands by beside them: what a policy says beyond the annotations.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use steadfaas_core::policy::{Placement, WrittenPolicy};

use super::nodes;
use super::routes::VirtualService;
use super::standby::{self, Standby, StandbyService};
use super::status::{About, Finding};
use crate::function::Function;

/// The objects that say it: those of the function's namespace, and of those that it leans on.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings<'a> {
    pub(super) services: Vec<&'a Service>,
    pub(super) slices: Vec<&'a EndpointSlice>,
    /// All that others wrote, where a function asks for a route.
    pub(super) virtual_services: Vec<&'a VirtualService>,
    /// The slices by namespace and Service.
    of_services: HashMap<(&'a str, &'a str), Vec<&'a EndpointSlice>>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn new(
        services: Vec<&'a Service>,
        slices: Vec<&'a EndpointSlice>,
        virtual_services: Vec<&'a VirtualService>,
    ) -> Self {
        let mut of_services: HashMap<_, Vec<_>> = HashMap::new();
        for slice in &slices {
            if let (Some(namespace), Some(service)) = (&slice.metadata.namespace, standby::service_of(slice))
            {
                of_services.entry((namespace.as_str(), service)).or_default().push(*slice);
            }
        }
        Self { services, slices, virtual_services, of_services }
    }

    fn slices_of<'s>(&'s self, namespace: &'s str, service: &'s str) -> &'s [&'s EndpointSlice] {
        self.of_services.get(&(namespace, service)).map(Vec::as_slice).unwrap_or_default()
    }
}

/// What follows from them for one function.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Placed {
    /// What the policy says.
    pub(super) placement: Placement,
    /// What makes another Service stand by.
    pub(super) slices: Vec<EndpointSlice>,
    /// What to say of that, where it is asked for.
    pub(super) finding: Option<Finding>,
}

impl Placed {
    /// For a function with this policy.
    pub(super) fn of(function: &Function, written: &WrittenPolicy, around: &Surroundings<'_>) -> Self {
        let pods: BTreeSet<&str> =
            function.upstreams.iter().map(|upstream| upstream.pods_service.as_str()).collect();
        let own = pods.into_iter().flat_map(|service| around.slices_of(&function.namespace, service));
        let nodes = nodes::shared(own.copied());
        let Some(text) = written.settings.get(standby::KEY) else {
            return Self { placement: Placement { nodes, standby: Vec::new() }, ..Self::default() };
        };
        let found = text.parse().and_then(|other: StandbyService| {
            standby::stand_by(function, &other, &around.services, &around.slices)
        });
        let (Standby { replicas, slices }, finding) = match found {
            Ok(standby) if standby.replicas.is_empty() => {
                let words = format!("`{}` is {text}, which has no ready replica", standby::KEY);
                (standby, Finding::bad(About::StandsBy, "NobodyReady", words))
            }
            Ok(standby) => {
                let words = format!("{text} stands by with {} replicas", standby.replicas.len());
                (standby, Finding::good(About::StandsBy, "StandsBy", words))
            }
            Err(words) => (Standby::default(), Finding::bad(About::StandsBy, "NoStandby", words)),
        };
        Self { placement: Placement { nodes, standby: replicas }, slices, finding: Some(finding) }
    }
}

/// Which namespaces have a Service that functions of other namespaces need: one that stands by for them, or OpenFaaS'
/// gateway.
#[derive(Debug, Default)]
pub(super) struct Leaning {
    /// By the namespace of the Service: those of the functions.
    of: BTreeMap<String, BTreeSet<String>>,
}

impl Leaning {
    /// Notes which other namespaces those functions of `namespace` lean on, and names them.
    pub(super) fn note(&mut self, namespace: &str, functions: &[Function]) -> BTreeSet<String> {
        let others: BTreeSet<String> = functions.iter().flat_map(leans_on).collect();
        self.of.retain(|other, leaning| {
            leaning.retain(|one| one != namespace || others.contains(other));
            !leaning.is_empty()
        });
        for other in &others {
            self.of.entry(other.clone()).or_default().insert(namespace.to_owned());
        }
        others
    }

    /// Those that lean on `namespace`.
    pub(super) fn on(&self, namespace: &str) -> impl Iterator<Item = &String> {
        self.of.get(namespace).into_iter().flatten()
    }
}

/// The other namespaces: those of the Service that is to stand by for the function, and of the gateway that is led past.
fn leans_on(function: &Function) -> impl Iterator<Item = String> {
    let written = function.written();
    let other = written.settings.get(standby::KEY).and_then(|text| text.parse::<StandbyService>().ok());
    let standby = other.map(|other| other.namespace).filter(|namespace| *namespace != function.namespace);
    let gateway = function.route().ok().flatten().map(|gateway| gateway.namespace);
    standby.into_iter().chain(gateway)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::function::fixtures::{object, service};
    use crate::function::{DEFAULT_DOMAIN, Objects, functions};

    fn leaning(other: &str) -> Vec<Function> {
        let annotations =
            json!({ "steadfaas.dev/strategy": "retry", "steadfaas.dev/standby-service": other });
        let service: Service = object(service("fib", json!({}), annotations));
        functions(&Objects { services: vec![&service], ..Objects::default() }, DEFAULT_DOMAIN)
    }

    #[test]
    fn a_namespace_is_leaned_on_until_no_function_does() {
        let mut all = Leaning::default();
        assert_eq!(all.note("default", &leaning("spare.spares")), ["spares".to_owned()].into());
        assert!(all.on("spares").eq(["default"]));
        all.note("default", &leaning("spare.default"));
        assert_eq!(all.on("spares").count(), 0);
    }

    #[test]
    fn a_standby_that_is_not_there_is_said_and_leaves_the_policy_as_it_is() {
        let functions = leaning("spare.default");
        let function = functions.first().unwrap();
        let placed = Placed::of(function, &function.written(), &Surroundings::default());
        assert_eq!((placed.placement, placed.slices), (Placement::default(), Vec::new()));
        let finding = placed.finding.unwrap();
        assert_eq!((finding.holds, finding.reason), (false, "NoStandby"));
    }
}
