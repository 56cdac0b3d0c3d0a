//! Clusters: a function's replicas with its policy, and Envoy's own admin endpoint.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};
use steadfaas_core::envoy::{ADMIN_CLUSTER, METADATA_NAMESPACE, METADATA_POLICY, REPLICAS_HEADER};

use super::replicas::Replicas;
use super::typed::{address, any, extension, host_and_port, seconds, with};
use super::{Function, Protocol, RenderError, health_check};

/// Longest wait for a connection. A lost node answers nothing, so each attempt to reach it costs this much until the
/// replica is set aside; within a data centre a connection takes well under a millisecond, and a lost SYN is
/// repeated only after 1 s.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(100);

/// Connections and requests that may be under way at once: no limit in practice. Functions have limits of their own.
const NO_LIMIT: u32 = 1_000_000;

/// Extra attempts that may be under way at once, those among them that wait for a replica to come back: a thousand
/// requests a second for the ten seconds that each waits at most. Past that the next one gets its 503 at once, so that
/// an outage fills no proxy's memory (some 30 KB a request). Envoy's default of 3 failed 57 of 60 requests that met a
/// dead replica at the same time.
const MOST_WAITING: u32 = 10_000;

/// How long an unused connection to a replica is kept. Node's and uvicorn's servers close theirs after 5 s; a request
/// that is written while the other side closes is lost, and fails if it must not run twice.
const UPSTREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The kernel asks a silent connection's other side after 10 s, then every 5 s, and gives up after three: a stream
/// that hangs on a lost node ends after 25 s instead of the idle timeout's ten minutes. A frozen process still has a
/// kernel that answers.
const TCP_KEEPALIVE: (u32, u32, u32) = (10, 5, 3);

/// How often a DNS name is resolved again: replaced replicas are in use a second later. Envoy's default is 5 s.
const DNS_REFRESH: Duration = Duration::from_secs(1);

/// Share of well replicas, in percent, below which Envoy's own choice takes all. Of 0 it would answer 503 without a
/// try when every check fails; of its default, 50, it would send to replicas that are out while others are well.
const PANIC_THRESHOLD: u32 = 1;

/// The cluster of a function.
pub(super) fn function(function: &Function) -> Result<Value, RenderError> {
    let (keepalive_time, keepalive_interval, keepalive_probes) = TCP_KEEPALIVE;
    let cluster = json!({
        "name": function.name,
        "connect_timeout": seconds(CONNECT_TIMEOUT),
        "load_assignment": assignment(&function.name, endpoints(function)),
        "load_balancing_policy": replica_choice(),
        "common_lb_config": { "healthy_panic_threshold": { "value": PANIC_THRESHOLD } },
        "circuit_breakers": { "thresholds": [{
            "max_connections": NO_LIMIT,
            "max_pending_requests": NO_LIMIT,
            "max_requests": NO_LIMIT,
            "max_retries": MOST_WAITING,
        }] },
        "upstream_connection_options": { "tcp_keepalive": {
            "keepalive_time": keepalive_time,
            "keepalive_interval": keepalive_interval,
            "keepalive_probes": keepalive_probes,
        } },
        "typed_extension_protocol_options": protocol_options(function.protocol),
        "metadata": { "filter_metadata": {
            (METADATA_NAMESPACE): { (METADATA_POLICY): function.written.to_json()? },
        } },
    });
    let (key, discovery) = discovery(&function.replicas);
    let cluster = with(cluster, key, discovery);
    Ok(match health_check::config(function) {
        Some(checks) => with(cluster, "health_checks", checks),
        None => cluster,
    })
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

/// The replicas that the filter lists, in its order; where it lists none, the less busy of two that are drawn. Round
/// robin wouldn't do: with two replicas and an even number of tries a request that waits meets the same one each time.
fn replica_choice() -> Value {
    let policy = |name, kind, fields| json!({ "typed_extension_config": extension(name, kind, fields) });
    let fallback = policy(
        "envoy.load_balancing_policies.least_request",
        "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest",
        json!({}),
    );
    json!({ "policies": [policy(
        "envoy.load_balancing_policies.override_host",
        "envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost",
        json!({
            "override_host_sources": [{ "header": REPLICAS_HEADER }],
            "fallback_policy": { "policies": [fallback] },
        }),
    )] })
}

fn protocol_options(protocol: Protocol) -> Value {
    let key = match protocol {
        Protocol::Http1 => "http_protocol_options",
        Protocol::Http2 => "http2_protocol_options",
    };
    let kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let options = json!({
        "common_http_protocol_options": { "idle_timeout": seconds(UPSTREAM_IDLE_TIMEOUT) },
        "explicit_http_config": { (key): {} },
    });
    json!({ (kind): any(kind, options) })
}
