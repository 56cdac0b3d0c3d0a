//! Does Istio know that it is HTTP?

use super::Finding;
use crate::facts::{Facts, Subject};
use crate::function::{Protocol, Upstream};

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    let mut findings: Vec<Finding> = facts.subjects.iter().filter_map(nowhere).collect();
    for subject in &facts.subjects {
        let unnamed =
            subject.function.upstreams.iter().filter(|upstream| upstream.protocol == Protocol::Unnamed);
        findings.extend(unnamed.map(|upstream| guessed(subject, upstream)));
    }
    findings
}

fn nowhere(subject: &Subject) -> Option<Finding> {
    let says = "no port of a Service leads to it by HTTP: it has none, or one that is named for another protocol, such as \
                tcp, or Knative made no revision yet";
    let mend =
        format!("kubectl get service -n {} -o yaml, and set `appProtocol: http`", subject.function.namespace);
    let missing = subject.function.upstreams.is_empty();
    missing.then(|| Finding::problem("port-not-http", subject.in_words()).says(says, mend))
}

fn guessed(subject: &Subject, upstream: &Upstream) -> Finding {
    let Upstream { service, port, .. } = upstream;
    let says = format!(
        "port {port} of its Service {service} isn't named http: Istio has to guess from what callers send, and a gateway \
         speaks HTTP/1.1 whatever the function does"
    );
    let patch = format!(r#"{{"spec":{{"ports":[{{"port":{port},"appProtocol":"http"}}]}}}}"#);
    let mend = format!("kubectl patch service {service} -n {} -p '{patch}'", subject.function.namespace);
    Finding::warning("port-not-http", subject.in_words()).says(says, mend)
}
