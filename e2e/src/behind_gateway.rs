//! `behind-gateway`: behind Istio's gateway, a fault strikes one of two replicas of a Deployment under load.

use xtask::functions::Function;

use crate::cluster::images;
use crate::cluster::layers::Layer;
use crate::cluster::proxy::Proxy;
use crate::cluster::running::Running;
use crate::cluster::{control, istio};
use crate::envoy_filter::{self, Protected, Proxies};
use crate::scenario::{PATH, Scene, Stage};

/// A function in the namespace `default`.
#[derive(Debug, Clone, Copy)]
pub struct BehindGateway {
    /// What its Deployment, its Service, its route at the gateway and its pods' label `app` are called.
    pub name: &'static str,
    /// These, and its Gateway.
    pub objects: &'static str,
    /// The host that the gateway has for it; the objects name it.
    pub host: &'static str,
    /// Path and query of its clients' requests.
    pub path: &'static str,
}

/// The function of this scenario.
pub const FIB: BehindGateway = BehindGateway {
    name: "fib",
    objects: include_str!("../behind-gateway/fib.yaml"),
    host: "fib.steadfaas-e2e.test",
    path: PATH,
};

impl Stage for BehindGateway {
    fn layers(&self) -> &'static [Layer] {
        &[Layer::Istio]
    }

    fn set(&self, running: &Running) -> anyhow::Result<Scene> {
        let kubectl = running.kubectl();
        kubectl.apply(&self.objects(running))?;
        kubectl.run(&["rollout", "restart", &format!("deployment/{}", self.name)])?;
        kubectl.wait_for_rollout("default", self.name)?;
        Ok(Scene {
            network: running.machine(control::NAME).ok().map(|control| control.network()),
            target: istio::gateway(running)?,
            host: self.host.to_owned(),
            path: self.path.to_owned(),
            pods: format!("app={}", self.name),
            namespace: "default".to_owned(),
            service: self.name.to_owned(),
        })
    }

    fn protect(&self, running: &Running, _scene: &Scene, keys: &[&str]) -> anyhow::Result<()> {
        let (service, namespace, proxies) = (self.name, "default", Proxies::Gateways);
        let protected = Protected { service, namespace, proxies, route: Some(self.name), keys };
        running.kubectl().apply(&envoy_filter::render(&protected)?.to_string()).map(drop)
    }

    fn clear(&self, running: &Running) -> anyhow::Result<()> {
        running.kubectl().delete(&self.objects(running)).map(drop)
    }

    fn proxy(&self) -> Proxy {
        istio::ingress_gateway()
    }
}

impl BehindGateway {
    /// With the image that the user's own nodes find.
    fn objects(&self, running: &Running) -> String {
        match running.theirs().and_then(|theirs| theirs.image.as_deref()) {
            Some(image) => self
                .objects
                .replace(&images::name_of(Function::Fib), image)
                .replace("imagePullPolicy: Never", "imagePullPolicy: IfNotPresent"),
            None => self.objects.to_owned(),
        }
    }
}
