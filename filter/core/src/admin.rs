//! Envoy's admin endpoint: the hosts of some clusters out of `GET /clusters?format=json`.
//!
//! Envoy 1.36 and 1.37 answer with every cluster, megabytes of it, whatever filter was asked for. So the text is
//! walked once, clusters that nobody asked for are skipped without building anything, and of the others only what the
//! view needs is kept.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

mod query;

pub use query::Query;

/// One cluster of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterHosts {
    /// The cluster's name.
    pub name: String,
    /// Its hosts that have an IP address and a port, in Envoy's order.
    pub hosts: Vec<Host>,
}

/// One host of a cluster, as Envoy sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// `ip:port`; IPv6 in brackets.
    pub address: String,
    /// It may be sent requests: no failed active check, not leaving.
    pub serving: bool,
    /// Discovery calls it healthy; or says nothing.
    pub ready: bool,
    /// A number for its zone, the same for all replicas there; zero where discovery names none.
    pub zone: u16,
    /// Something speaks against it, but not surely: outlier ejection (which counts soft timeouts of hedged requests as
    /// errors), a first check still to come, degraded.
    pub doubtful: bool,
}

impl Host {
    /// One of which nothing bad is known, and no zone.
    #[must_use]
    pub fn well(address: impl Into<String>) -> Self {
        Self { address: address.into(), serving: true, ready: true, zone: 0, doubtful: false }
    }
}

/// Reads the clusters for which `wanted` holds.
///
/// # Errors
/// The parser's own, if `json` isn't such an answer.
pub fn read_clusters(
    json: &[u8],
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<ClusterHosts>, serde_json::Error> {
    let mut parser = serde_json::Deserializer::from_slice(json);
    let clusters = Answer(wanted).deserialize(&mut parser)?;
    parser.end()?;
    Ok(clusters)
}

type Wanted<'a> = &'a dyn Fn(&str) -> bool;

/// The whole answer: `{"cluster_statuses": [...]}`.
struct Answer<'a>(Wanted<'a>);

/// The list of clusters.
struct Clusters<'a>(Wanted<'a>);

/// One cluster, kept if it is wanted. Envoy writes `name` first; should it ever not, the hosts are kept till then.
struct Cluster<'a>(Wanted<'a>);

impl<'de> DeserializeSeed<'de> for Answer<'_> {
    type Value = Vec<ClusterHosts>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Answer<'_> {
    type Value = Vec<ClusterHosts>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the admin endpoint's clusters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(key) = map.next_key::<&str>()? {
            if key == "cluster_statuses" {
                found = map.next_value_seed(Clusters(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

impl<'de> DeserializeSeed<'de> for Clusters<'_> {
    type Value = Vec<ClusterHosts>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Clusters<'_> {
    type Value = Vec<ClusterHosts>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of clusters")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(cluster) = seq.next_element_seed(Cluster(self.0))? {
            found.extend(cluster);
        }
        Ok(found)
    }
}

impl<'de> DeserializeSeed<'de> for Cluster<'_> {
    type Value = Option<ClusterHosts>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Cluster<'_> {
    type Value = Option<ClusterHosts>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cluster")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut name, mut unwanted, mut hosts) = (None, false, Vec::new());
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "name" => {
                    let text: String = map.next_value()?;
                    unwanted = !(self.0)(&text);
                    name = Some(text);
                }
                "host_statuses" if !unwanted => hosts = map.next_value::<Vec<Value>>()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let hosts = hosts.iter().filter_map(host).collect();
        Ok(name.filter(|_| !unwanted).map(|name| ClusterHosts { name, hosts }))
    }
}

/// One of `host_statuses`. Hosts behind a Unix socket or inside Envoy have no socket address, and can't be replicas.
fn host(status: &Value) -> Option<Host> {
    let socket = status.get("address")?.get("socket_address")?;
    let ip = socket.get("address")?.as_str().filter(|ip| !ip.is_empty())?;
    let port = u16::try_from(socket.get("port_value")?.as_u64()?).ok()?;
    let health = status.get("health_status").unwrap_or(&Value::Null);
    let flag = |name: &str| health.get(name).and_then(Value::as_bool).unwrap_or(false);
    let by_discovery = health.get("eds_health_status").and_then(Value::as_str).unwrap_or_default();
    Some(Host {
        address: if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") },
        zone: status.get("locality").and_then(|locality| locality.get("zone")?.as_str()).map_or(0, number),
        ready: !matches!(by_discovery, "UNHEALTHY" | "DRAINING" | "TIMEOUT"),
        serving: !flag("failed_active_health_check")
            && !flag("pending_dynamic_removal")
            && !flag("excluded_via_immediate_hc_fail"),
        doubtful: flag("failed_outlier_check")
            || flag("failed_active_degraded_check")
            || flag("pending_active_hc")
            || by_discovery == "DEGRADED",
    })
}

/// A number for a zone's name, which two zones have in common once in many thousand; only an empty name has zero.
fn number(zone: &str) -> u16 {
    let hash = zone.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    u16::try_from(hash % u32::from(u16::MAX)).map_or(0, |number| if zone.is_empty() { 0 } else { number + 1 })
}

#[cfg(test)]
mod tests;
