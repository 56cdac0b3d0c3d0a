//! Envoy's admin endpoint: the hosts of some clusters out of `GET /clusters?format=json`.
//!
//! Envoy 1.36 and 1.37 answer with every cluster, megabytes of it, whatever filter was asked for. So the text is
//! walked once, clusters that nobody asked for are skipped without building anything, and of the others only what the
//! view needs is kept.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

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
    /// It may be sent requests: no failed active check, not leaving, not unhealthy by discovery.
    pub serving: bool,
    /// Something speaks against it, but not surely: outlier ejection (which counts soft timeouts of hedged requests as
    /// errors), a first check still to come, degraded.
    pub doubtful: bool,
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
                "host_statuses" if !unwanted => hosts = map.next_value::<Vec<HostStatus>>()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let hosts = hosts.into_iter().filter_map(HostStatus::into_host).collect();
        Ok(name.filter(|_| !unwanted).map(|name| ClusterHosts { name, hosts }))
    }
}

#[derive(Deserialize)]
struct HostStatus {
    address: Option<Address>,
    #[serde(default)]
    health_status: HealthStatus,
}

/// Hosts behind a Unix socket or inside Envoy have another field here, and can't be replicas.
#[derive(Deserialize)]
struct Address {
    socket_address: Option<SocketAddress>,
}

#[derive(Deserialize)]
struct SocketAddress {
    address: String,
    port_value: u16,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HealthStatus {
    eds_health_status: String,
    failed_active_health_check: bool,
    failed_outlier_check: bool,
    failed_active_degraded_check: bool,
    pending_dynamic_removal: bool,
    pending_active_hc: bool,
    excluded_via_immediate_hc_fail: bool,
}

impl HostStatus {
    fn into_host(self) -> Option<Host> {
        let SocketAddress { address, port_value } = self.address?.socket_address?;
        let health = self.health_status;
        let address = if address.contains(':') {
            format!("[{address}]:{port_value}")
        } else {
            format!("{address}:{port_value}")
        };
        let out_by_discovery =
            matches!(health.eds_health_status.as_str(), "UNHEALTHY" | "DRAINING" | "TIMEOUT");
        Some(Host {
            address,
            serving: !out_by_discovery
                && !health.failed_active_health_check
                && !health.pending_dynamic_removal
                && !health.excluded_via_immediate_hc_fail,
            doubtful: health.failed_outlier_check
                || health.failed_active_degraded_check
                || health.pending_active_hc
                || health.eds_health_status == "DEGRADED",
        })
    }
}

#[cfg(test)]
mod tests;
