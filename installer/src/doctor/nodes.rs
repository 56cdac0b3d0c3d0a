//! Do the replicas share a fate?

use super::Finding;
use crate::facts::{Facts, Subject};

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    facts.subjects.iter().filter_map(one_node).collect()
}

/// `K = 1 but both replicas on node X`: nothing survives the loss of that node.
pub(crate) fn in_words(subject: &Subject) -> Option<String> {
    let tolerate = subject.tolerate()?;
    let mut nodes: Vec<&str> = subject.ready().map(|pod| pod.node.as_str()).collect();
    let count = nodes.len();
    nodes.sort_unstable();
    nodes.dedup();
    let ([node], true) = (nodes.as_slice(), count > 1) else { return None };
    let them = if count == 2 { "both".to_owned() } else { format!("all {count}") };
    Some(format!("K = {tolerate} but {them} replicas on node {node}"))
}

fn one_node(subject: &Subject) -> Option<Finding> {
    let says = format!("{}: the loss of that node is the loss of the function", in_words(subject)?);
    Some(Finding::problem("one-node", subject.in_words()).says(says, subject.scale()))
}
