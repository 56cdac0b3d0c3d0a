//! Which replicas of a function share a node, as EndpointSlices say.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::discovery::v1::EndpointSlice;

use super::standby;

/// So many nodes are named at most: a policy is read with every request, and a function on more has room to evade.
const MOST_NODES: usize = 20;

/// The IP addresses of replicas that share a node, node by node, always in the same order. Nodes with a single replica
/// aren't named: most functions have no others, and their policy stays as it is when pods come and go.
pub(super) fn shared<'a>(slices: impl IntoIterator<Item = &'a EndpointSlice>) -> Vec<Vec<String>> {
    let mut nodes: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
    for endpoint in
        slices.into_iter().filter(|slice| !standby::is_ours(slice)).flat_map(|slice| &slice.endpoints)
    {
        if let Some(node) = &endpoint.node_name {
            nodes.entry(node).or_default().extend(&endpoint.addresses);
        }
    }
    let shared = nodes.into_values().filter(|replicas| replicas.len() > 1);
    shared.take(MOST_NODES).map(|replicas| replicas.into_iter().cloned().collect()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::function::fixtures::object;

    #[test]
    fn only_nodes_with_several_replicas_are_named() {
        let endpoint = |address: &str, node: &str| json!({ "addresses": [address], "nodeName": node });
        let slice = |endpoints: &[serde_json::Value]| {
            object::<EndpointSlice>(json!({ "metadata": {}, "addressType": "IPv4", "endpoints": endpoints }))
        };
        let one = slice(&[endpoint("10.0.0.2", "a"), endpoint("10.0.0.9", "b")]);
        let two = slice(&[endpoint("10.0.0.1", "a"), json!({ "addresses": ["10.0.0.7"] })]);
        assert_eq!(shared([&one, &two]), [["10.0.0.1", "10.0.0.2"]]);
        assert!(shared([&two]).is_empty());
    }
}
