//! `sidecar-caller`: within the mesh, a fault strikes one of two replicas that a pod calls through its own sidecar.

use crate::caller;
use crate::cluster::layers::Layer;
use crate::cluster::proxy::Proxy;
use crate::cluster::running::Running;
use crate::envoy_filter::{self, Protected, Proxies};
use crate::scenario::{PATH, Scene, Stage};

/// The function and its Service.
const OBJECTS: &str = include_str!("../sidecar-caller/fib.yaml");

/// The port of the function's Service.
const PORT: u16 = 80;

/// The function of this scenario.
#[derive(Debug, Clone, Copy)]
pub struct SidecarCaller;

impl Stage for SidecarCaller {
    fn layers(&self) -> &'static [Layer] {
        &[Layer::Sidecars]
    }

    fn set(&self, running: &Running) -> anyhow::Result<Scene> {
        let kubectl = running.kubectl();
        kubectl.apply(OBJECTS)?;
        kubectl.run(&["rollout", "restart", "deployment/fib"])?;
        caller::set(running)?;
        kubectl.wait_for_rollout("default", "fib")?;
        Ok(Scene {
            network: caller::network(running)?,
            target: caller::address(running, "default", "fib", PORT)?,
            host: "fib".to_owned(),
            path: PATH.to_owned(),
            pods: "app=fib".to_owned(),
            namespace: "default".to_owned(),
            service: "fib".to_owned(),
        })
    }

    fn protect(&self, running: &Running, _scene: &Scene, keys: &[&str]) -> anyhow::Result<()> {
        let (service, namespace, proxies) = ("fib", "default", Proxies::Callers);
        let filter = envoy_filter::render(&Protected { service, namespace, proxies, route: None, keys })?;
        running.kubectl().apply(&filter.to_string()).map(drop)
    }

    fn clear(&self, running: &Running) -> anyhow::Result<()> {
        caller::clear(running)?;
        running.kubectl().delete(OBJECTS).map(drop)
    }

    fn proxy(&self) -> Proxy {
        caller::proxy()
    }
}
