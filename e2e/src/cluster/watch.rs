//! Watching what Kubernetes knows of a Service's replicas, and since when.

use std::io::BufReader;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use serde_json::{Deserializer, Value};

use super::kubectl::Kubectl;

/// A watch that is under way; it ends when dropped.
#[derive(Debug)]
pub struct Watch {
    kubectl: Child,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// What was known from some moment on.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    ready: usize,
}

impl Watch {
    /// Watches the endpoints of a Service in the namespace `default`.
    ///
    /// # Errors
    /// kubectl can't be started.
    pub fn start(kubectl: &Kubectl, service: &str) -> anyhow::Result<Self> {
        let selector = format!("--selector=kubernetes.io/service-name={service}");
        let mut command = kubectl.command();
        command.args(["get", "endpointslices", &selector, "--watch", "--output=json"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut kubectl = command.spawn().context("kubectl can't be started")?;
        let output = kubectl.stdout.take().context("no pipe")?;
        let seen = Arc::default();
        let writer = Arc::clone(&seen);
        std::thread::spawn(move || follow(output, &writer));
        Ok(Self { kubectl, seen })
    }

    /// When fewer than `count` replicas were ready for the first time after `moment`.
    #[must_use]
    pub fn fewer_than(&self, count: usize, moment: Instant) -> Option<Instant> {
        self.find(moment, |ready| ready < count)
    }

    /// When there were `count` again, after there had been fewer.
    #[must_use]
    pub fn restored(&self, count: usize, moment: Instant) -> Option<Instant> {
        self.find(self.fewer_than(count, moment)?, |ready| ready >= count)
    }

    fn find(&self, moment: Instant, fits: impl Fn(usize) -> bool) -> Option<Instant> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().find(|seen| seen.at >= moment && fits(seen.ready)).map(|seen| seen.at)
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
fn follow(output: ChildStdout, seen: &Mutex<Vec<Seen>>) {
    let slices = Deserializer::from_reader(BufReader::new(output)).into_iter::<Value>();
    for slice in slices.map_while(Result::ok) {
        let change = Seen { at: Instant::now(), ready: ready(&slice) };
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(change);
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
