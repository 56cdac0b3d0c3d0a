//! Does Istio know that it is HTTP?

use super::facts::PortFact;
use super::{Facts, Finding, Subject};

/// How names of HTTP ports begin, and what `appProtocol` says of them.
const HTTP: [&str; 3] = ["http", "http2", "grpc"];

/// What else `appProtocol` says of plain HTTP.
const APP_PROTOCOLS: [&str; 2] = ["kubernetes.io/h2c", "grpc-web"];

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    let unnamed = |subject: &'_ Subject| -> Vec<Finding> {
        subject.ports.iter().filter(|port| !is_http(port)).map(|port| finding(subject, port)).collect()
    };
    facts.subjects.iter().flat_map(unnamed).collect()
}

/// `appProtocol` counts before the name, whose first word counts.
fn is_http(port: &PortFact) -> bool {
    match &port.app_protocol {
        Some(protocol) => HTTP.contains(&protocol.as_str()) || APP_PROTOCOLS.contains(&protocol.as_str()),
        None => port.name.split('-').next().is_some_and(|word| HTTP.contains(&word)),
    }
}

fn finding(subject: &Subject, port: &PortFact) -> Finding {
    let PortFact { service, number, name, .. } = port;
    let called = if name.is_empty() { "has no name".to_owned() } else { format!("is named `{name}`") };
    let says = format!(
        "port {number} of its Service {service} {called}: Istio has to guess whether it is HTTP, and the filter sees \
         requests only of what is"
    );
    let patch = format!(r#"{{"spec":{{"ports":[{{"port":{number},"appProtocol":"http"}}]}}}}"#);
    let mend = format!("kubectl patch service {service} -n {} -p '{patch}'", subject.namespace);
    Finding::problem("port-not-http", subject.in_words()).says(says, mend)
}
