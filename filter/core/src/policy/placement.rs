//! Where a function's replicas are: what the filter can't see for itself, told by whoever writes the policy.

use serde::Serialize;
use serde_json::Value;

/// Where a function's replicas are, and who stands by beside them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Placement {
    /// The IP addresses of replicas that are on the same node, node by node. A node of one replica need not be there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Vec<String>>,
    /// Replicas of another service (`standby-service`), as `ip:port`: they get requests where no own replica is well, and
    /// those that own ones have failed or kept waiting. They are in the function's cluster, but discovery calls them
    /// unhealthy, so that nobody else sends there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub standby: Vec<String>,
}

/// A replica's site, as numbers that mean something only beside others of the same function. Zero: unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Site {
    /// Its node's.
    pub node: u16,
    /// Its zone's, as Envoy knows it by discovery.
    pub zone: u16,
}

impl Site {
    /// Both are lost when one node is.
    #[must_use]
    pub fn shares_node(self, other: Self) -> bool {
        self.node != 0 && self.node == other.node
    }

    /// Both are lost when one zone is.
    #[must_use]
    pub fn shares_zone(self, other: Self) -> bool {
        self.zone != 0 && self.zone == other.zone
    }
}

impl Placement {
    /// Nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.standby.is_empty()
    }

    /// The number of the node of the replica with this IP address, from 1 on, if it is named.
    #[must_use]
    pub fn node(&self, ip: &str) -> Option<u16> {
        let place = self.nodes.iter().position(|replicas| replicas.iter().any(|replica| replica == ip))?;
        u16::try_from(place + 1).ok()
    }

    /// Reads what a policy has. What is of another form is left out: it only makes the next replica a worse choice.
    pub(super) fn read(value: &Value) -> Self {
        let list = |key| value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let texts = |list: &[Value]| list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let nodes = list("nodes").iter().filter_map(Value::as_array).map(|replicas| texts(replicas));
        Self { nodes: nodes.collect(), standby: texts(list("standby")) }
    }
}

/// For tests that have no use for any.
#[cfg(test)]
pub(crate) static NOWHERE: Placement = Placement { nodes: Vec::new(), standby: Vec::new() };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let nodes = vec![texts(&["10.0.0.1", "10.0.0.2"]), texts(&["10.0.0.3"])];
        let placement = Placement { nodes, standby: texts(&["10.9.0.1:80"]) };
        assert_eq!(Placement::read(&serde_json::to_value(&placement).unwrap()), placement);
        assert_eq!((placement.node("10.0.0.2"), placement.node("10.0.0.3")), (Some(1), Some(2)));
        assert_eq!(placement.node("10.0.0.4"), None);
        assert_eq!(Placement::read(&Value::Null), Placement::default());
    }
}
