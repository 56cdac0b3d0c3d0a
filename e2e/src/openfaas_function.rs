//! `openfaas-function`: behind Istio's gateway, a fault strikes one of two replicas of a function as OpenFaaS makes them.

use crate::cluster::layers::Layer;
use crate::cluster::proxy::Proxy;
use crate::cluster::running::Running;
use crate::cluster::{control, istio};
use crate::envoy_filter::{self, Protected, Proxies};
use crate::scenario::{PATH, Scene, Stage};

/// The function, and its way through the gateway.
const FUNCTION: &str = include_str!("../openfaas/fib.yaml");
const ROUTE: &str = include_str!("../openfaas-function/route.yaml");

/// Where OpenFaaS has functions.
pub const NAMESPACE: &str = "openfaas-fn";

/// The host that the gateway has for it; `route.yaml` names it.
const HOST: &str = "fib-of-openfaas.steadfaas-e2e.test";

/// The function of this scenario.
#[derive(Debug, Clone, Copy)]
pub struct OpenFaasFunction;

impl Stage for OpenFaasFunction {
    fn layers(&self) -> &'static [Layer] {
        &[Layer::Openfaas]
    }

    fn set(&self, running: &Running) -> anyhow::Result<Scene> {
        let kubectl = running.kubectl();
        // Its pods serve on for half a minute when they are told to end: a new function has new ones only.
        self.clear(running)?;
        kubectl.apply(FUNCTION)?;
        kubectl.apply(ROUTE)?;
        kubectl.wait_for_rollout(NAMESPACE, "fib")?;
        Ok(Scene {
            network: running.machine(control::NAME).ok().map(|control| control.network()),
            target: istio::gateway(running)?,
            host: HOST.to_owned(),
            path: PATH.to_owned(),
            namespace: NAMESPACE.to_owned(),
            pods: "faas_function=fib".to_owned(),
            service: "fib".to_owned(),
        })
    }

    fn protect(&self, running: &Running, _scene: &Scene, keys: &[&str]) -> anyhow::Result<()> {
        let (service, namespace, proxies) = ("fib", NAMESPACE, Proxies::Gateways);
        let filter = envoy_filter::render(&Protected { service, namespace, proxies, route: None, keys })?;
        running.kubectl().apply(&filter.to_string()).map(drop)
    }

    fn clear(&self, running: &Running) -> anyhow::Result<()> {
        let kubectl = running.kubectl();
        kubectl.delete(ROUTE)?;
        kubectl.delete(FUNCTION)?;
        let namespace = format!("--namespace={NAMESPACE}");
        kubectl
            .run(&["delete", "pods", &namespace, "--selector=faas_function=fib", "--grace-period=1"])
            .map(drop)
    }

    fn proxy(&self) -> Proxy {
        istio::ingress_gateway()
    }
}
