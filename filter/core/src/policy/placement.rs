//! Where a function's replicas are: what the filter can't see for itself, told by whoever writes the policy.

use serde::Serialize;
use serde_json::Value;

/// Where a function's replicas are, and who stands by beside them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Placement {
    /// The nodes that run more than one replica, or whose zone is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Node>,
    /// Replicas of another service (`standby-service`), as `ip:port`: they get requests where no own replica is well, and
    /// those that own ones have failed or kept waiting.
    /// They are in the function's cluster, but discovery calls them unhealthy, so that nobody else sends there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub standby: Vec<String>,
}

/// A node: its replicas are lost together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its zone: nodes of one are lost together too. Empty: unknown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// The IP addresses of its replicas.
    pub replicas: Vec<String>,
}

/// A replica's site, as numbers that mean something only beside others of the same function. Zero: unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Site {
    /// Its node's.
    pub node: u16,
    /// Its zone's.
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

    /// The site of the replica with this IP address, if it is named.
    #[must_use]
    pub fn site(&self, ip: &str) -> Option<Site> {
        let place = self.nodes.iter().position(|node| node.replicas.iter().any(|replica| replica == ip))?;
        let zone = self.nodes.get(place).map(|node| node.zone.as_str()).filter(|zone| !zone.is_empty());
        let first_of = |zone| self.nodes.iter().position(|node| node.zone == zone);
        Some(Site { node: number(place), zone: zone.and_then(first_of).map_or(0, number) })
    }

    /// Reads what a policy has. What is of another form is left out: it only makes the next replica a worse choice.
    pub(super) fn read(value: &Value) -> Self {
        let nodes = list(value, "nodes").iter().map(|node| Node {
            zone: node.get("zone").and_then(Value::as_str).unwrap_or_default().to_owned(),
            replicas: texts(node, "replicas"),
        });
        Self { nodes: nodes.collect(), standby: texts(value, "standby") }
    }
}

/// The number of the thing at `place`: zero is none.
fn number(place: usize) -> u16 {
    u16::try_from(place + 1).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    list(value, key).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(zone: &str, replicas: &[&str]) -> Node {
        Node { zone: zone.to_owned(), replicas: replicas.iter().map(|ip| (*ip).to_owned()).collect() }
    }

    #[test]
    fn replicas_of_a_node_share_it_and_nodes_of_a_zone_share_that() {
        let nodes =
            vec![node("a", &["10.0.0.1", "10.0.0.2"]), node("a", &["10.0.0.3"]), node("", &["10.0.0.4"])];
        let placement = Placement { nodes, ..Placement::default() };
        let [one, two, three, four] =
            ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"].map(|ip| placement.site(ip).unwrap());
        assert!(one.shares_node(two) && one.shares_zone(two));
        assert!(!one.shares_node(three) && one.shares_zone(three));
        assert!(!four.shares_zone(four), "an unknown zone is shared with nobody");
        assert_eq!(placement.site("10.0.0.5"), None);
    }

    #[test]
    fn what_was_written_is_read_again() {
        let placement =
            Placement { nodes: vec![node("a", &["10.0.0.1"])], standby: vec!["10.9.0.1:80".to_owned()] };
        let json = serde_json::to_value(&placement).unwrap();
        assert_eq!(Placement::read(&json), placement);
        assert_eq!(Placement::read(&Value::Null), Placement::default());
    }
}
