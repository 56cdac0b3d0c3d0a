//! What changes in the cluster, as `kubectl get --watch` tells of it.

use std::fmt;
use std::io::BufReader;
use std::process::Stdio;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Deserializer, Value};

use crate::cluster::kubectl::Kubectl;

/// Knative's.
pub(super) const INGRESSES: &str = "ingresses.networking.internal.knative.dev";

/// Istio's.
pub(super) const VIRTUAL_SERVICES: &str = "virtualservices.networking.istio.io";

/// An API server ends watches now and then, or is away: it is asked again after this time.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// An object's place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Key {
    pub(super) fn of(object: &Value) -> Option<Self> {
        let text = |path: &str| Some(object.pointer(path)?.as_str()?.to_owned());
        Some(Self { namespace: text("/metadata/namespace")?, name: text("/metadata/name")? })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// An object that is there now, or is gone.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) kind: &'static str,
    pub(super) key: Key,
    pub(super) object: Option<Value>,
}

/// Watches objects of this kind, on a thread of its own, for as long as somebody listens.
pub(super) fn watch(kubectl: &Kubectl, kind: &'static str, sender: Sender<Event>) {
    let kubectl = kubectl.clone();
    thread::spawn(move || {
        loop {
            match once(&kubectl, kind, &sender) {
                Ok(Heard::All) => {}
                Ok(Heard::Nobody) => return,
                Err(error) => eprintln!("the watch of {kind} is begun again: {error:#}"),
            }
            thread::sleep(AGAIN_AFTER);
        }
    });
}

/// Why a watch ended.
enum Heard {
    /// kubectl had no more to tell.
    All,
    /// Nobody listens any more.
    Nobody,
}

fn once(kubectl: &Kubectl, kind: &'static str, sender: &Sender<Event>) -> anyhow::Result<Heard> {
    let mut command = kubectl.command();
    command.args(["get", kind, "--all-namespaces", "--watch", "--output-watch-events", "--output=json"]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("kubectl can't be started")?;
    let output = BufReader::new(child.stdout.take().context("no pipe")?);
    let told = Deserializer::from_reader(output).into_iter::<Value>().map_while(Result::ok);
    let mut heard = Heard::All;
    for event in told.filter_map(|told| parse(kind, &told)) {
        if sender.send(event).is_err() {
            heard = Heard::Nobody;
            break;
        }
    }
    // It may have ended by itself.
    let _ = child.kill();
    child.wait().context("kubectl doesn't end")?;
    Ok(heard)
}

/// `{"type": "ADDED", "object": {…}}`.
fn parse(kind: &'static str, told: &Value) -> Option<Event> {
    let object = told.get("object")?;
    let gone = told.get("type")? == "DELETED";
    Some(Event { kind, key: Key::of(object)?, object: (!gone).then(|| object.clone()) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_that_is_deleted_is_gone() {
        let object = json!({ "metadata": { "namespace": "default", "name": "fib" } });
        let event = |what: &str| parse(INGRESSES, &json!({ "type": what, "object": object })).unwrap();
        assert_eq!(event("MODIFIED").object, Some(object.clone()));
        assert_eq!(event("DELETED").object, None);
        assert_eq!(event("ADDED").key.to_string(), "default/fib");
    }

    #[test]
    fn what_is_no_object_is_passed_over() {
        assert!(parse(INGRESSES, &json!({ "type": "ERROR", "object": { "kind": "Status" } })).is_none());
    }
}
