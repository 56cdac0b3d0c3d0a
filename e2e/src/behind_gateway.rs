//! `behind-gateway`: behind Istio's gateway, a fault strikes one of two replicas of a Deployment under load.

use xtask::functions::Function;

use crate::cluster::images;
use crate::cluster::layers::Layer;
use crate::cluster::proxy::Proxy;
use crate::cluster::running::Running;
use crate::cluster::{control, istio};
use crate::envoy_filter::{self, Protected, Proxies};
use crate::scenario::{PATH, Scene, Stage};

/// The function, its Service and its way through the gateway.
const OBJECTS: &str = include_str!("../behind-gateway/fib.yaml");

/// The host that the gateway has for it; `fib.yaml` names it.
const HOST: &str = "fib.steadfaas-e2e.test";

/// The function of this scenario.
#[derive(Debug, Clone, Copy)]
pub struct BehindGateway;

impl Stage for BehindGateway {
    fn layers(&self) -> &'static [Layer] {
        &[Layer::Istio]
    }

    fn set(&self, running: &Running) -> anyhow::Result<Scene> {
        let kubectl = running.kubectl();
        kubectl.apply(&objects(running))?;
        kubectl.run(&["rollout", "restart", "deployment/fib"])?;
        kubectl.wait_for_rollout("default", "fib")?;
        Ok(Scene {
            network: running.machine(control::NAME).ok().map(|control| control.network()),
            target: istio::gateway(running)?,
            host: HOST.to_owned(),
            path: PATH.to_owned(),
            pods: "app=fib".to_owned(),
            namespace: "default".to_owned(),
            service: "fib".to_owned(),
        })
    }

    fn protect(&self, running: &Running, _scene: &Scene, keys: &[&str]) -> anyhow::Result<()> {
        let (proxies, route) = (Proxies::Gateways, Some("fib"));
        let filter =
            envoy_filter::render(&Protected { service: "fib", namespace: "default", proxies, route, keys })?;
        running.kubectl().apply(&filter.to_string()).map(drop)
    }

    fn clear(&self, running: &Running) -> anyhow::Result<()> {
        running.kubectl().delete(&objects(running)).map(drop)
    }

    fn proxy(&self) -> Proxy {
        istio::ingress_gateway()
    }
}

/// With the image that the user's own nodes find.
fn objects(running: &Running) -> String {
    match running.theirs().and_then(|theirs| theirs.image.as_deref()) {
        Some(image) => OBJECTS
            .replace(&images::name_of(Function::Fib), image)
            .replace("imagePullPolicy: Never", "imagePullPolicy: IfNotPresent"),
        None => OBJECTS.to_owned(),
    }
}
