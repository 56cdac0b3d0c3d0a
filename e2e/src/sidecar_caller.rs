//! `sidecar-caller`: within the mesh, a fault strikes one of two replicas that a pod calls through its own sidecar.

use std::net::{IpAddr, SocketAddr};

use crate::cluster::layers::Layer;
use crate::cluster::proxy::Proxy;
use crate::cluster::running::Running;
use crate::envoy_filter::{self, Protected, Proxies};
use crate::scenario::{Scene, Stage};
use anyhow::Context as _;

/// The function, its Service, and its caller.
const OBJECTS: &str = include_str!("../sidecar-caller/fib.yaml");

/// The port of the function's Service.
const PORT: u16 = 80;

/// Pods with sidecars are ready some 6 s after they were asked for.
const READY_SECONDS: u32 = 90;

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
        for deployment in ["deployment/fib", "deployment/caller"] {
            kubectl.run(&["rollout", "status", deployment, &format!("--timeout={READY_SECONDS}s")])?;
        }
        let address = kubectl.run(&["get", "service/fib", "--output=jsonpath={.spec.clusterIP}"])?;
        let address: IpAddr = address.parse().context("the Service has no address")?;
        let admin = self.proxy().admin(running)?;
        Ok(Scene {
            // What is sent there is the pod's own traffic, and goes through its sidecar.
            network: admin.network().map(ToOwned::to_owned),
            target: SocketAddr::new(address, PORT),
            host: "fib".to_owned(),
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
        running.kubectl().delete(OBJECTS).map(drop)
    }

    fn proxy(&self) -> Proxy {
        Proxy { namespace: "default".to_owned(), label: "app=caller".to_owned() }
    }
}
