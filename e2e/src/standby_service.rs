//! A function for which another namespace's Service stands by: it loses all of its own replicas.

use crate::annotated::Annotated;
use crate::cluster::layers::Layer;
use crate::cluster::proxy::Proxy;
use crate::cluster::running::Running;
use crate::scenario::{Scene, Stage};

/// What stands by.
const OBJECTS: &str = include_str!("../standby-service/spare.yaml");

/// What is asked for beside a strategy.
const STANDBY: &str = "standby-service: spare.spares";

/// The function of another scenario, and what stands by for it.
#[derive(Clone, Copy)]
pub struct StandbyService {
    /// The function, protected by annotation.
    pub function: &'static Annotated,
}

impl Stage for StandbyService {
    fn layers(&self) -> &'static [Layer] {
        self.function.layers()
    }

    fn set(&self, running: &Running) -> anyhow::Result<Scene> {
        let kubectl = running.kubectl();
        kubectl.apply(OBJECTS)?;
        kubectl.wait_for_rollout("spares", "spare")?;
        self.function.set(running)
    }

    fn protect(&self, running: &Running, scene: &Scene, keys: &[&str]) -> anyhow::Result<()> {
        self.function.protect(running, scene, &[keys, &[STANDBY]].concat())
    }

    fn unprotect(&self, running: &Running) -> anyhow::Result<()> {
        self.function.unprotect(running)
    }

    /// Not copies: of what is in flight when all replicas end at once both have gone to these.
    fn protections(&self) -> &'static [&'static [&'static str]] {
        &[&["strategy: active-standby"], &["strategy: retry"]]
    }

    fn clear(&self, running: &Running) -> anyhow::Result<()> {
        running.kubectl().delete(OBJECTS)?;
        self.function.clear(running)
    }

    fn proxy(&self) -> Proxy {
        self.function.proxy()
    }
}
