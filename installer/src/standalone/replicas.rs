//! `replicas`: a function's endpoints, all by address or all by DNS name.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::error::Problem;
use super::host::is_dns_name;
use super::yaml::{Node, Value};

/// The field's name.
pub(super) const FIELD: &str = "replicas";

/// What the field may be.
pub(super) const EXPECTED: &str = "a list of addresses such as [127.0.0.1:9101, 127.0.0.1:9102], or a DNS name with its port such as fib.local:8080,";

/// What one replica may be.
const EXPECTED_ENTRY: &str =
    "an address with its port such as 127.0.0.1:9101, or a DNS name with its port such as fib.local:8080,";

/// A function's endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replicas {
    /// By address: they stay what they are.
    Addresses(Vec<SocketAddr>),
    /// By name: every address that DNS gives for it is a replica.
    Names(Vec<NamedReplica>),
}

/// A DNS name and the port that its addresses serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedReplica {
    /// The DNS name.
    pub name: String,
    /// The port.
    pub port: u16,
}

/// One entry of the list.
enum Replica {
    Address(SocketAddr),
    Name(NamedReplica),
}

/// Reads the field; the error is its line and what is wrong there.
pub(super) fn parse(field: &Node) -> Result<Replicas, (u64, Problem)> {
    let nodes = match &field.value {
        Value::List(nodes) if !nodes.is_empty() => nodes.as_slice(),
        Value::Text(_) => std::slice::from_ref(field),
        other => return Err((field.line, Problem::wrong(FIELD, other.describe(), EXPECTED))),
    };
    let mut seen = BTreeSet::new();
    let mut replicas = Vec::new();
    for node in nodes {
        let Value::Text(text) = &node.value else {
            return Err((node.line, wrong_entry(node)));
        };
        if !seen.insert(text.to_ascii_lowercase()) {
            return Err((node.line, Problem::ReplicaTwice { replica: text.clone() }));
        }
        replicas.push(parse_entry(text).ok_or_else(|| (node.line, wrong_entry(node)))?);
    }
    all_of_one_kind(replicas).map_err(|problem| (field.line, problem))
}

fn wrong_entry(node: &Node) -> Problem {
    Problem::WrongReplica { found: node.value.describe(), expected: EXPECTED_ENTRY }
}

fn parse_entry(text: &str) -> Option<Replica> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(Replica::Address(address)).filter(|_| address.port() != 0);
    }
    let (name, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    // A name of digits only is an address with a mistake in it: DNS has no such top-level domain.
    let last_label = name.rsplit('.').next()?;
    let is_name = is_dns_name(name) && !last_label.bytes().all(|byte| byte.is_ascii_digit());
    is_name.then(|| Replica::Name(NamedReplica { name: name.to_ascii_lowercase(), port }))
}

/// Envoy's clusters resolve all of their endpoints by DNS, or none.
fn all_of_one_kind(replicas: Vec<Replica>) -> Result<Replicas, Problem> {
    let (mut addresses, mut names) = (Vec::new(), Vec::new());
    for replica in replicas {
        match replica {
            Replica::Address(address) => addresses.push(address),
            Replica::Name(name) => names.push(name),
        }
    }
    match (addresses.first(), names.first()) {
        (Some(address), Some(name)) => Err(Problem::MixedReplicas {
            address: address.to_string(),
            name: format!("{}:{}", name.name, name.port),
        }),
        (None, _) => Ok(Replicas::Names(names)),
        (Some(_), None) => Ok(Replicas::Addresses(addresses)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_its_port_and_a_name_needs_letters() {
        for right in ["127.0.0.1:9101", "[::1]:80", "fib.local:8080", "fib:1", "a_b.c-d.e:65535"] {
            assert!(parse_entry(right).is_some(), "{right}");
        }
        for wrong in [
            "127.0.0.1",
            "127.0.0.1:0",
            "300.0.0.1:80",
            "127.0.0:80",
            "::1:80",
            "fib",
            "fib:",
            "fib:http",
            "fib:65536",
            "a b:1",
            ":80",
        ] {
            assert!(parse_entry(wrong).is_none(), "{wrong}");
        }
    }
}
