//! Where a function's requests go: a port of a Service, which is a cluster in Envoy.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Service, ServicePort};
use kube::ResourceExt as _;

/// What a port speaks, as istiod reads it from the port's `appProtocol` or name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 without TLS, gRPC.
    Http2,
    /// Nothing is said: sidecars look at what callers send and speak the same, gateways speak HTTP/1.1.
    Unnamed,
}

impl Protocol {
    /// Nothing for a port that speaks no HTTP that a proxy could read.
    fn of(port: &ServicePort) -> Option<Self> {
        if port.protocol.as_deref().is_some_and(|transport| transport != "TCP") {
            return None;
        }
        let said = port.app_protocol.as_deref().or(port.name.as_deref()).unwrap_or_default();
        let said = said.to_ascii_lowercase();
        match said.as_str() {
            "kubernetes.io/h2c" => return Some(Self::Http2),
            "kubernetes.io/ws" => return Some(Self::Http1),
            "kubernetes.io/wss" => return None,
            _ => {}
        }
        match said.split('-').next().unwrap_or_default() {
            "http" | "http_proxy" => Some(Self::Http1),
            "http2" | "grpc" => Some(Self::Http2),
            "tcp" | "udp" | "https" | "tls" | "mongo" | "redis" | "mysql" | "doublehbone" => None,
            _ => Some(Self::Unnamed),
        }
    }
}

/// A port of a Service that a function's requests go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The Service's name, in the function's namespace.
    pub service: String,
    /// Its full name in DNS, which istiod knows it by.
    pub host: String,
    /// The Service's port.
    pub port: u16,
    /// What it speaks.
    pub protocol: Protocol,
    /// Whether a share of the function's requests goes there. Not to a revision of Knative's that is only called by its
    /// tag, or is yet to come.
    pub takes_share: bool,
    /// The Service whose EndpointSlices name the function's own pods: this one, but for Knative the revision's private
    /// one, for the public one may have activators instead.
    pub pods_service: String,
    /// The labels by which those pods are found; none where the Service has no selector.
    pub pods: BTreeMap<String, String>,
}

impl Upstream {
    /// What istiod calls its cluster.
    #[must_use]
    pub fn cluster(&self) -> String {
        format!("outbound|{}||{}", self.port, self.host)
    }

    /// One for each port of a Service that speaks HTTP. A headless one has none: proxies pass its calls on to the address
    /// that the caller chose.
    pub(super) fn of_service(service: &Service, domain: &str) -> Vec<Self> {
        let Some(spec) = &service.spec else { return Vec::new() };
        let ports = spec.ports.iter().flatten();
        let upstreams = ports.filter_map(|port| {
            let name = service.name_any();
            Some(Self {
                host: full_name(&name, &service.namespace().unwrap_or_default(), domain),
                port: u16::try_from(port.port).ok()?,
                protocol: Protocol::of(port)?,
                takes_share: true,
                pods_service: name.clone(),
                pods: spec.selector.clone().unwrap_or_default(),
                service: name,
            })
        });
        if has_cluster(service) { upstreams.collect() } else { Vec::new() }
    }
}

/// Whether Envoy balances the Service's requests over its endpoints.
fn has_cluster(service: &Service) -> bool {
    let spec = service.spec.as_ref();
    let headless = spec.and_then(|spec| spec.cluster_ip.as_deref()) == Some("None");
    let elsewhere = spec.and_then(|spec| spec.type_.as_deref()) == Some("ExternalName");
    !headless && !elsewhere
}

/// A Service's full name in DNS.
pub(crate) fn full_name(name: &str, namespace: &str, domain: &str) -> String {
    format!("{name}.{namespace}.svc.{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(name: &str, app_protocol: Option<&str>) -> Option<Protocol> {
        let app_protocol = app_protocol.map(str::to_owned);
        Protocol::of(&ServicePort { name: Some(name.to_owned()), app_protocol, ..ServicePort::default() })
    }

    #[test]
    fn a_port_speaks_what_istiod_takes_it_for() {
        assert_eq!(spoken("http", None), Some(Protocol::Http1));
        assert_eq!(spoken("http-web", None), Some(Protocol::Http1));
        assert_eq!(spoken("http2", None), Some(Protocol::Http2));
        assert_eq!(spoken("grpc-web", None), Some(Protocol::Http2));
        assert_eq!(spoken("web", None), Some(Protocol::Unnamed));
        assert_eq!(spoken("", None), Some(Protocol::Unnamed));
        assert_eq!(spoken("tcp-http", None), None);
        assert_eq!(spoken("https", None), None);
    }

    #[test]
    fn an_app_protocol_counts_more_than_a_name() {
        assert_eq!(spoken("http", Some("kubernetes.io/h2c")), Some(Protocol::Http2));
        assert_eq!(spoken("tcp", Some("HTTP")), Some(Protocol::Http1));
        assert_eq!(spoken("http", Some("tls")), None);
    }
}
