//! `standby-service`: another Service's replicas become endpoints of the function's own Services, called unready. So
//! they are in its Envoy clusters, where the filter's next attempt reaches them, and nobody else sends there: kube-proxy
//! leaves out what isn't ready, and so does Envoy's own choice.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use k8s_openapi::api::core::v1::{Service, ServicePort};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt as _;
use kube::core::ObjectMeta;

use crate::function::{Function, STANDBY_FOR};

/// The annotation's name, without the prefix.
pub(super) const KEY: &str = "standby-service";

/// On an EndpointSlice: the Service that it is of.
const SERVICE: &str = "kubernetes.io/service-name";

/// On an EndpointSlice: who made it.
pub(crate) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";

/// Who makes ours.
pub(crate) const MANAGER: &str = "steadfaas.dev";

/// So many replicas of the other Service stand by at most: the policy names each, and is read with every request.
const MOST: usize = 20;

/// A Service that stands by: `name.namespace`, with a port where it has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StandbyService {
    pub(super) name: String,
    pub(super) namespace: String,
    port: Option<i32>,
}

impl FromStr for StandbyService {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{KEY}` is `{text}`: name.namespace, or name.namespace:port, would be right");
        let (host, port) = match text.trim().split_once(':') {
            Some((host, port)) => {
                (host, Some(port.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(wrong)?))
            }
            None => (text.trim(), None),
        };
        let is_label = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        match host.split('.').collect::<Vec<_>>()[..] {
            [name, namespace] if is_label(name) && is_label(namespace) => {
                Ok(Self { name: name.to_owned(), namespace: namespace.to_owned(), port: port.map(i32::from) })
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for StandbyService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.name, self.namespace)
    }
}

/// What makes the other Service stand by.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Standby {
    /// Its replicas, for the policy: `ip:port`, in order.
    pub(super) replicas: Vec<String>,
    /// What is to be in the function's namespace, one for each of its Services.
    pub(super) slices: Vec<EndpointSlice>,
}

/// What makes `other` stand by for the function. `services` and `slices` are those of both namespaces, or more.
///
/// # Errors
/// In words: there is no such Service, it has no such port, or its owner doesn't consent.
pub(super) fn stand_by(
    function: &Function,
    other: &StandbyService,
    services: &[&Service],
    slices: &[&EndpointSlice],
) -> Result<Standby, String> {
    let find = |namespace: &str, name: &str| {
        let fits = |service: &&&Service| {
            service.name_any() == name && service.namespace().as_deref() == Some(namespace)
        };
        services.iter().find(fits).copied()
    };
    let service = find(&other.namespace, &other.name).ok_or_else(|| {
        format!("`{KEY}` is {other}: there is no such Service, one with replicas of its own would be right")
    })?;
    consent(function, other, service)?;
    let mut standby = Standby::default();
    let names: BTreeSet<&str> = function.upstreams.iter().map(|upstream| upstream.service.as_str()).collect();
    for own in names.into_iter().filter_map(|name| find(&function.namespace, name)) {
        let mut found = Vec::new();
        let upstreams = function.upstreams.iter().filter(|upstream| upstream.service == own.name_any());
        for port in upstreams.filter_map(|upstream| port_of(own, i32::from(upstream.port))) {
            let from = standing_port(other, service, port)?;
            found
                .extend(endpoints_of(other, from, slices).map(|(number, endpoint)| (port, number, endpoint)));
        }
        standby.add(function, own, found);
    }
    standby.replicas.sort();
    standby.replicas.dedup();
    standby.replicas.truncate(MOST);
    Ok(standby)
}

impl Standby {
    /// All of a slice have the same ports: one slice for each of the own Service's ports and each number behind it.
    fn add(&mut self, function: &Function, own: &Service, found: Vec<(&ServicePort, i32, &Endpoint)>) {
        let kinds: BTreeSet<(i32, i32)> =
            found.iter().map(|(port, number, _)| (port.port, *number)).collect();
        for (own_port, number) in kinds {
            let fits = found.iter().filter(|(port, other, _)| (port.port, *other) == (own_port, number));
            let mut endpoints: Vec<Endpoint> =
                fits.clone().map(|(_, _, endpoint)| unready(endpoint)).collect();
            endpoints.sort_by(|one, other| one.addresses.cmp(&other.addresses));
            endpoints.truncate(MOST);
            let addresses = endpoints.iter().flat_map(|endpoint| &endpoint.addresses);
            self.replicas.extend(addresses.map(|address| format!("{address}:{number}")));
            let port = fits.clone().next().map(|(port, _, _)| EndpointPort {
                name: port.name.clone(),
                port: Some(number),
                protocol: port.protocol.clone(),
                app_protocol: port.app_protocol.clone(),
            });
            let name = format!("{}-standby-{own_port}-{number}", own.name_any());
            self.slices.push(EndpointSlice {
                address_type: "IPv4".to_owned(),
                endpoints,
                metadata: metadata(function, own, name),
                ports: Some(port.into_iter().collect()),
            });
        }
    }
}

/// The owner of a Service in another namespace has to say that it may be used from here.
fn consent(function: &Function, other: &StandbyService, service: &Service) -> Result<(), String> {
    if other.namespace == function.namespace {
        return Ok(());
    }
    let said = service.annotations().get(STANDBY_FOR).map(String::as_str).unwrap_or_default();
    if said.split(',').any(|namespace| namespace.trim() == function.namespace) {
        return Ok(());
    }
    Err(format!(
        "`{KEY}` is {other}, whose owner doesn't consent: the annotation `{STANDBY_FOR}: {}` on it would be right",
        function.namespace
    ))
}

fn port_of(service: &Service, number: i32) -> Option<&ServicePort> {
    ports(service).find(|port| port.port == number)
}

fn ports(service: &Service) -> impl Iterator<Item = &ServicePort> {
    service.spec.iter().flat_map(|spec| spec.ports.iter().flatten())
}

/// The other Service's port that stands in for an own one: the one that is named, else that of the same name or number,
/// else its only one.
fn standing_port<'a>(
    other: &StandbyService,
    service: &'a Service,
    own: &ServicePort,
) -> Result<&'a ServicePort, String> {
    let found = match other.port {
        Some(number) => port_of(service, number),
        None => ports(service)
            .find(|port| port.name == own.name)
            .or_else(|| port_of(service, own.port))
            .or_else(|| ports(service).next().filter(|_| ports(service).count() == 1)),
    };
    found.ok_or_else(|| {
        let known: Vec<String> = ports(service).map(|port| format!("{other}:{}", port.port)).collect();
        let wanted = other.port.unwrap_or(own.port);
        format!("`{KEY}` has no port for {wanted}: {} would be right", known.join(" or "))
    })
}

/// Its ready endpoints, each with the number of the pod's port.
fn endpoints_of<'a>(
    other: &StandbyService,
    port: &ServicePort,
    slices: &[&'a EndpointSlice],
) -> impl Iterator<Item = (i32, &'a Endpoint)> {
    let of_other = |slice: &&EndpointSlice| {
        slice.namespace().as_deref() == Some(&other.namespace)
            && slice.labels().get(SERVICE) == Some(&other.name)
            && !is_ours(slice)
            && slice.address_type == "IPv4"
    };
    let mut found = Vec::new();
    for slice in slices.iter().filter(|slice| of_other(slice)) {
        let ports = slice.ports.iter().flatten();
        let Some(number) = ports.clone().find(|known| known.name == port.name).and_then(|known| known.port)
        else {
            continue;
        };
        // No word on it means ready.
        let ready = |endpoint: &&Endpoint| {
            endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true)
        };
        found.extend(slice.endpoints.iter().filter(ready).map(|endpoint| (number, endpoint)));
    }
    found.into_iter()
}

/// The Service that a slice is of.
pub(super) fn service_of(slice: &EndpointSlice) -> Option<&str> {
    slice.labels().get(SERVICE).map(String::as_str)
}

/// Whether a slice that is there says what this one does.
pub(super) fn is_same(there: &EndpointSlice, wanted: &EndpointSlice) -> bool {
    there.endpoints == wanted.endpoints
        && there.ports == wanted.ports
        && service_of(there) == service_of(wanted)
        && there.metadata.owner_references == wanted.metadata.owner_references
}

/// Whether it is one of those made here.
pub(super) fn is_ours(slice: &EndpointSlice) -> bool {
    slice.labels().get(MANAGED_BY).is_some_and(|manager| manager == MANAGER)
}

/// The endpoint as nobody but the filter takes it. istiod takes one that doesn't say so for terminating.
fn unready(endpoint: &Endpoint) -> Endpoint {
    let conditions =
        EndpointConditions { ready: Some(false), serving: Some(false), terminating: Some(false) };
    Endpoint { conditions: Some(conditions), hints: None, ..endpoint.clone() }
}

/// It goes with the function's object, and with the Service.
fn metadata(function: &Function, own: &Service, name: String) -> ObjectMeta {
    let labels = [(SERVICE, own.name_any()), (MANAGED_BY, MANAGER.to_owned())];
    let owner = OwnerReference {
        api_version: function.kind.api_version().to_owned(),
        kind: function.kind.kind().to_owned(),
        name: function.name.clone(),
        uid: function.uid.clone(),
        ..OwnerReference::default()
    };
    ObjectMeta {
        name: Some(name),
        namespace: Some(function.namespace.clone()),
        labels: Some(labels.map(|(key, value)| (key.to_owned(), value)).into()),
        owner_references: Some(vec![owner]),
        ..ObjectMeta::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::function::fixtures::{object, protected, service};
    use crate::function::{DEFAULT_DOMAIN, Objects, functions};

    fn other(namespace: &str, annotations: Value) -> Service {
        let mut other = service("spare", json!({ "app": "spare" }), annotations);
        other["metadata"]["namespace"] = namespace.into();
        object(other)
    }

    fn slice_of(name: &str, namespace: &str, endpoints: &[(&str, bool)]) -> EndpointSlice {
        let endpoints: Vec<Value> = endpoints
            .iter()
            .map(|(address, ready)| json!({ "addresses": [address], "conditions": { "ready": ready } }))
            .collect();
        object(json!({
            "metadata": { "name": name, "namespace": namespace, "labels": { (SERVICE): name } },
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": [{ "name": "http", "port": 8080, "protocol": "TCP" }],
        }))
    }

    fn standing_by(other: &Service, text: &str) -> Result<Standby, String> {
        let own: Service = object(service("fib", json!({ "app": "fib" }), protected()));
        let function =
            functions(&Objects { services: vec![&own], ..Objects::default() }, DEFAULT_DOMAIN).remove(0);
        let namespace = other.namespace().unwrap_or_default();
        let slice =
            slice_of("spare", &namespace, &[("10.1.0.2", true), ("10.1.0.1", true), ("10.1.0.3", false)]);
        stand_by(&function, &text.parse()?, &[&own, other], &[&slice])
    }

    #[test]
    fn ready_replicas_of_the_other_service_become_unready_endpoints_of_the_own_one() {
        let standby = standing_by(&other("default", json!({})), "spare.default").unwrap();
        assert_eq!(standby.replicas, ["10.1.0.1:8080", "10.1.0.2:8080"]);
        insta::assert_yaml_snapshot!(standby.slices);
    }

    #[test]
    fn another_namespace_has_to_consent() {
        let refused = standing_by(&other("spares", json!({})), "spare.spares").unwrap_err();
        assert_eq!(
            refused,
            "`standby-service` is spare.spares, whose owner doesn't consent: the annotation `steadfaas.dev/standby-for: \
             default` on it would be right"
        );
        let consenting = other("spares", json!({ "steadfaas.dev/standby-for": "web, default" }));
        assert_eq!(standing_by(&consenting, "spare.spares").unwrap().replicas.len(), 2);
    }

    #[test]
    fn a_service_or_port_that_is_not_there_is_named() {
        let there = other("default", json!({}));
        let wrong = |text| standing_by(&there, text).unwrap_err();
        assert!(wrong("nobody.default").contains("nobody.default: there is no such Service"));
        assert_eq!(
            wrong("spare.default:81"),
            "`standby-service` has no port for 81: spare.default:80 would be right"
        );
        for text in ["spare", "spare.default.svc", "Spare.default", "spare.default:", "spare.default:0", ""] {
            assert!(wrong(text).contains("name.namespace, or name.namespace:port, would be right"), "{text}");
        }
    }
}
