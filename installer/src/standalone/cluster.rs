//! Clusters: a function's replicas with its policy, and Envoy's own admin endpoint.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};
use steadfaas_core::envoy::ADMIN_CLUSTER;

use super::replicas::Replicas;
use super::{Function, Protocol, RenderError};
use crate::envoy::protection::{CONNECT_TIMEOUT, Protection, Spoken};
use crate::envoy::typed::{address, extension, host_and_port, seconds, with, with_all};

/// Connections and requests that may be under way at once: no limit in practice. Functions have limits of their own.
const NO_LIMIT: u32 = 1_000_000;

/// Extra attempts that may be under way at once, those among them that wait for a replica to come back: a thousand
/// requests a second for the ten seconds that each waits at most. Past that the next one gets its 503 at once, so that
/// an outage fills no proxy's memory (some 30 KB a request). Envoy's default of 3 failed 57 of 60 requests that met a
/// dead replica at the same time.
const MOST_WAITING: u32 = 10_000;

/// How often a DNS name is resolved again: replaced replicas are in use a second later. Envoy's default is 5 s.
const DNS_REFRESH: Duration = Duration::from_secs(1);

/// The cluster of a function.
pub(super) fn function(function: &Function) -> Result<Value, RenderError> {
    let identity = json!({
        "name": function.name,
        "load_assignment": assignment(&function.name, endpoints(function)),
        "circuit_breakers": { "thresholds": [{
            "max_connections": NO_LIMIT,
            "max_pending_requests": NO_LIMIT,
            "max_requests": NO_LIMIT,
            "max_retries": MOST_WAITING,
        }] },
    });
    let (key, discovery) = discovery(&function.replicas);
    Ok(with_all(with(identity, key, discovery), protection(function).cluster_fields(false)?))
}

fn protection(function: &Function) -> Protection<'_> {
    Protection {
        written: &function.written,
        policy: &function.policy,
        spoken: match function.protocol {
            Protocol::Http1 => Spoken::Http1,
            Protocol::Http2 => Spoken::Http2,
        },
        connect_timeout: CONNECT_TIMEOUT,
        // A wildcard is no name to ask for; without one Envoy says the cluster's.
        check_host: function.host.as_deref().filter(|host| !host.starts_with('*')),
    }
}

/// The cluster by which the filter reaches `/clusters`, under the name that it has in Istio's proxies.
pub(super) fn admin(admin: SocketAddr) -> Value {
    let reachable = match admin.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    json!({
        "name": ADMIN_CLUSTER,
        "type": "STATIC",
        "connect_timeout": seconds(CONNECT_TIMEOUT),
        "load_assignment": assignment(ADMIN_CLUSTER, vec![endpoint(address(SocketAddr::new(reachable, admin.port())))]),
    })
}

fn assignment(cluster: &str, endpoints: Vec<Value>) -> Value {
    json!({ "cluster_name": cluster, "endpoints": [{ "lb_endpoints": endpoints }] })
}

fn endpoint(address: Value) -> Value {
    json!({ "endpoint": { "address": address } })
}

/// The function's own replicas; and those that stand by, which only the filter sends to.
fn endpoints(function: &Function) -> Vec<Value> {
    let own: Vec<Value> = match &function.replicas {
        Replicas::Addresses(addresses) => addresses.iter().copied().map(address).collect(),
        Replicas::Names(names) => names.iter().map(|named| host_and_port(&named.name, named.port)).collect(),
    };
    let standby = function.standby.iter().copied().map(address);
    let standby = standby.map(|address| with(endpoint(address), "health_status", "UNHEALTHY".into()));
    own.into_iter().map(endpoint).chain(standby).collect()
}

/// How Envoy learns the addresses: the field and its value.
fn discovery(replicas: &Replicas) -> (&'static str, Value) {
    match replicas {
        Replicas::Addresses(_) => ("type", "STATIC".into()),
        // What `STRICT_DNS` became; the old type's own refresh rate is deprecated.
        Replicas::Names(_) => (
            "cluster_type",
            extension(
                "envoy.cluster.dns",
                "envoy.extensions.clusters.dns.v3.DnsCluster",
                json!({ "dns_refresh_rate": seconds(DNS_REFRESH), "dns_lookup_family": "V4_PREFERRED" }),
            ),
        ),
    }
}
