//! A stand-in for the controller of net-istio, whose modules aren't to be had: it makes VirtualServices of Knative's
//! Ingresses as that one does, puts back whatever is done to them, and tells Knative that the way is made.
//!
//! What it doesn't do, and net-istio does:
//! - ask the gateways whether they have the new routes before it says that they do: the first requests may get 404;
//! - TLS, HTTP redirects, and Gateways of an Ingress's own;
//! - read its settings (`config-istio`, `config-network`): gateways, class and domain are the default ones;
//! - VirtualServices and DestinationRules of the revisions' private Services (`enable-mesh-pod-addressability`);
//! - shorten names of more than 63 letters; mirror requests;
//! - its own hash of an Ingress: this one is of the same kind, but another number;
//! - webhooks, leader election, metrics, events.

mod events;
mod status;
mod virtual_services;

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use steadfaas_e2e_watch::Told;

use crate::cluster::kubectl::Kubectl;
use events::{Event, INGRESSES, Key, VIRTUAL_SERVICES};

/// What failed is tried again after this time: a conflict is gone by then, and an API server that is away not asked all
/// the time.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Works until it is ended.
///
/// # Errors
/// A watch can't be started.
pub fn run(kubectl: &Kubectl) -> anyhow::Result<()> {
    let (sender, events) = mpsc::channel();
    for kind in [INGRESSES, VIRTUAL_SERVICES] {
        events::watch(kubectl, kind, sender.clone());
    }
    let (mut state, mut said) = (State::default(), String::new());
    loop {
        match events.recv_timeout(TRY_AGAIN_AFTER) {
            Ok(event) => state.take(event),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => anyhow::bail!("both watches have ended"),
        }
        // What came meanwhile is one change with it.
        events.try_iter().for_each(|event| state.take(event));
        for key in state.due() {
            if let Err(error) = state.reconcile(kubectl, &key) {
                let problem = format!("{key} isn't as it should be, and will be tried again: {error:#}");
                if problem != said {
                    eprintln!("{problem}");
                    said = problem;
                }
            }
        }
    }
}

/// What there is in the cluster.
#[derive(Debug, Default)]
struct State {
    ingresses: BTreeMap<Key, Value>,
    virtual_services: BTreeMap<Key, Value>,
}

impl State {
    /// What is told anew is forgotten first: it may be gone meanwhile. If it isn't, making it again fails, and does no harm.
    fn take(&mut self, Event { kind, told }: Event) {
        let objects = if kind == INGRESSES { &mut self.ingresses } else { &mut self.virtual_services };
        match told {
            Told::Anew => objects.clear(),
            Told::Is(object) => {
                Key::of(&object).map(|key| objects.insert(key, object));
            }
            Told::Gone(object) => {
                Key::of(&object).map(|key| objects.remove(&key));
            }
        }
    }

    /// The Ingresses for which something is to be done.
    fn due(&self) -> Vec<Key> {
        let ours = self.ingresses.iter().filter(|(_, ingress)| virtual_services::is_ours(ingress));
        let due = ours.filter(|(_, ingress)| self.differs(ingress) || !status::is_ready(ingress));
        due.map(|(key, _)| key.clone()).collect()
    }

    fn differs(&self, ingress: &Value) -> bool {
        let wanted = virtual_services::of(ingress).unwrap_or_default();
        wanted.iter().any(|one| !self.has(one))
    }

    fn has(&self, wanted: &Value) -> bool {
        let found = Key::of(wanted).and_then(|key| self.virtual_services.get(&key));
        found.is_some_and(|found| virtual_services::are_alike(found, wanted))
    }

    /// Writes what differs, and then that all is well. What was written is known at once: the watch tells of it later.
    fn reconcile(&mut self, kubectl: &Kubectl, key: &Key) -> anyhow::Result<()> {
        let ingress = self.ingresses.get(key).context("it is gone")?.clone();
        for wanted in virtual_services::of(&ingress)? {
            if self.has(&wanted) {
                continue;
            }
            let name = Key::of(&wanted).context("it has no name")?;
            let verb = if self.virtual_services.contains_key(&name) { "replace" } else { "create" };
            kubectl.feed(&[verb, "-f", "-"], wanted.to_string().as_bytes())?;
            println!("{verb} VirtualService {name}");
            self.virtual_services.insert(name, wanted);
        }
        if !status::is_ready(&ingress) {
            let status = status::ready(&ingress, &status::now()?);
            let patch = json!({ "status": status }).to_string();
            let namespace = format!("--namespace={}", key.namespace);
            let words = ["patch", INGRESSES, &key.name, &namespace, "--subresource=status", "--type=merge"];
            kubectl.run(&[&words[..], &["--patch", &patch]].concat())?;
            println!("{key} is ready");
            let known = self.ingresses.get_mut(key).and_then(Value::as_object_mut);
            known.map(|known| known.insert("status".to_owned(), status));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(told: Told) -> Event {
        Event { kind: INGRESSES, told }
    }

    #[test]
    fn an_ingress_is_due_until_it_says_that_it_is_ready_and_all_is_forgotten_with_its_watch() {
        let annotations = json!({
            "networking.knative.dev/ingress.class": "istio.ingress.networking.knative.dev",
        });
        let metadata = json!({
            "name": "fib", "namespace": "default", "generation": 1, "annotations": annotations,
        });
        let mut ingress = json!({ "metadata": metadata, "spec": { "rules": [] } });
        let mut state = State::default();
        state.take(told(Told::Is(ingress.clone())));
        assert_eq!(state.due().len(), 1);
        ingress["status"] = status::ready(&ingress, "2026-01-01T00:00:00Z");
        state.take(told(Told::Is(ingress)));
        assert!(state.due().is_empty());
        state.take(told(Told::Anew));
        assert!(state.ingresses.is_empty());
    }
}
