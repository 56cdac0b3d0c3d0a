//! Any function, protected as its users do it: an annotation, which the controller makes an EnvoyFilter of.

use crate::cluster::kubectl::Kubectl;
use crate::cluster::layers::Layer;
use crate::cluster::proxy::Proxy;
use crate::cluster::running::Running;
use crate::scenario::{Scene, Stage};

/// The annotations that a policy consists of, of which a trial may have left any.
const PREFIX: &str = "steadfaas.dev/";

/// An annotation beside the policy.
const ROUTE: &str = "route";

/// A function of another scenario, protected by annotation.
#[derive(Clone, Copy)]
pub struct Annotated {
    /// The other scenario.
    pub stage: &'static dyn Stage,
    /// What it needs, steadfaas among it.
    pub layers: &'static [Layer],
    /// The function, as kubectl takes it.
    pub function: &'static str,
    /// Its namespace.
    pub namespace: &'static str,
}

impl Stage for Annotated {
    fn layers(&self) -> &'static [Layer] {
        self.layers
    }

    fn set(&self, running: &Running) -> anyhow::Result<Scene> {
        self.stage.set(running)
    }

    fn protect(&self, running: &Running, _scene: &Scene, keys: &[&str]) -> anyhow::Result<()> {
        let annotations = keys.iter().map(|key| {
            let (key, value) = key.split_once(':').unwrap_or((key, ""));
            format!("{PREFIX}{}={}", key.trim(), value.trim())
        });
        self.annotate(running.kubectl(), annotations)
    }

    fn unprotect(&self, running: &Running) -> anyhow::Result<()> {
        let there = steadfaas_core::policy::KEYS.into_iter().chain([ROUTE]);
        let there = there.map(|key| format!("{PREFIX}{key}-"));
        match self.annotate(running.kubectl(), there) {
            // It isn't there yet.
            Err(error) if format!("{error:#}").contains("NotFound") => Ok(()),
            other => other,
        }
    }

    fn clear(&self, running: &Running) -> anyhow::Result<()> {
        self.stage.clear(running)
    }

    fn proxy(&self) -> Proxy {
        self.stage.proxy()
    }
}

impl Annotated {
    fn annotate(&self, kubectl: &Kubectl, annotations: impl Iterator<Item = String>) -> anyhow::Result<()> {
        let mut words = vec!["annotate".to_owned(), "--overwrite".to_owned(), self.function.to_owned()];
        words.push(format!("--namespace={}", self.namespace));
        words.extend(annotations);
        kubectl.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).map(drop)
    }
}
