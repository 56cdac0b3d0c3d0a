//! What changes in the cluster, as `kubectl get --watch` tells of it.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::mpsc::Sender;

use serde_json::Value;
use steadfaas_e2e_watch::{self as watch, Told};

use crate::cluster::kubectl::Kubectl;

/// Knative's.
pub(super) const INGRESSES: &str = "ingresses.networking.internal.knative.dev";

/// Istio's.
pub(super) const VIRTUAL_SERVICES: &str = "virtualservices.networking.istio.io";

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

/// What happened to objects of a kind.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) kind: &'static str,
    pub(super) told: Told,
}

/// Watches objects of this kind, on a thread of its own, for as long as somebody listens.
pub(super) fn watch(kubectl: &Kubectl, kind: &'static str, sender: Sender<Event>) {
    let kubectl = kubectl.clone();
    let command = move || {
        let mut command = kubectl.command();
        command.args(["get", kind, "--all-namespaces"]).args(watch::WORDS);
        command
    };
    watch::keep(command, move |told| match sender.send(Event { kind, told }) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    });
}
