//! Watching what Kubernetes and proxies know of a Service's replicas, and since when.

mod envoy;
mod sightings;

use std::io::BufReader;
use std::process::{Child, ChildStdout, Stdio};

use anyhow::Context as _;
use serde_json::{Deserializer, Value};

use super::kubectl::Kubectl;

pub use envoy::EnvoyWatch;
pub use sightings::Sightings;

/// A watch of Kubernetes that is under way; it ends when dropped.
#[derive(Debug)]
pub struct Watch {
    kubectl: Child,
    sightings: Sightings,
}

impl Watch {
    /// Watches the endpoints of a Service.
    ///
    /// # Errors
    /// kubectl can't be started.
    pub fn start(kubectl: &Kubectl, namespace: &str, service: &str) -> anyhow::Result<Self> {
        let selector = format!("--selector=kubernetes.io/service-name={service}");
        let namespace = format!("--namespace={namespace}");
        let mut command = kubectl.command();
        command.args(["get", "endpointslices", &namespace, &selector, "--watch", "--output=json"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut kubectl = command.spawn().context("kubectl can't be started")?;
        let output = kubectl.stdout.take().context("no pipe")?;
        let sightings = Sightings::default();
        let writer = sightings.clone();
        std::thread::spawn(move || follow(output, &writer));
        Ok(Self { kubectl, sightings })
    }

    /// What it saw.
    #[must_use]
    pub fn sightings(&self) -> &Sightings {
        &self.sightings
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}

/// kubectl prints the slice as it is, and again after each change.
fn follow(output: ChildStdout, sightings: &Sightings) {
    let slices = Deserializer::from_reader(BufReader::new(output)).into_iter::<Value>();
    for slice in slices.map_while(Result::ok) {
        sightings.add(ready(&slice));
    }
}

/// How many endpoints of a slice are ready.
fn ready(slice: &Value) -> usize {
    let endpoints = slice.get("endpoints").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_ready = |endpoint: &&Value| endpoint.pointer("/conditions/ready") == Some(&Value::Bool(true));
    endpoints.iter().filter(is_ready).count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ready_endpoints_are_counted() {
        let endpoint = |ready: bool| json!({ "conditions": { "ready": ready } });
        assert_eq!(ready(&json!({ "endpoints": [endpoint(true), endpoint(false), endpoint(true)] })), 2);
        assert_eq!(ready(&json!({ "endpoints": null })), 0);
    }
}
