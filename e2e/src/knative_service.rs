//! `knative-service`: behind Istio's gateway, a fault strikes one of two replicas of a Knative Service under load.

use crate::cluster::kubectl::POD_SECONDS;
use crate::cluster::layers::Layer;
use crate::cluster::proxy::Proxy;
use crate::cluster::running::Running;
use crate::cluster::{control, istio, knative};
use crate::envoy_filter::{self, Protected, Proxies};
use crate::scenario::{PATH, Scene, Stage};

/// The function. Knative makes a Service of its name too, which would be in the way of the other scenarios' `fib`.
const OBJECTS: &str = include_str!("../knative-service/fib.yaml");

/// The label of its pods.
const PODS: &str = "serving.knative.dev/service=kn-fib";

/// What Knative makes of a service, and would take for another's if it were made again before this is gone.
const MADE_OF_IT: &str = "routes.serving.knative.dev,configurations.serving.knative.dev,revisions.serving.knative.dev,\
    ingresses.networking.internal.knative.dev,deployments,replicasets";

/// Its first revision, and the Service of that name, whose endpoints are the pods once the activator is out of the way.
const REVISION: &str = "kn-fib-00001";

/// The function of this scenario.
#[derive(Debug, Clone, Copy)]
pub struct KnativeService;

impl Stage for KnativeService {
    fn layers(&self) -> &'static [Layer] {
        &[Layer::Knative]
    }

    fn set(&self, running: &Running) -> anyhow::Result<Scene> {
        // Another service each time, so that its revision is the first one.
        self.clear(running)?;
        let kubectl = running.kubectl();
        kubectl.apply(OBJECTS)?;
        kubectl.wait(&["--for=condition=Ready", "services.serving.knative.dev/kn-fib"], POD_SECONDS)?;
        let serves = "serverlessservices.networking.internal.knative.dev/".to_owned() + REVISION;
        kubectl.wait(&["--for=jsonpath={.spec.mode}=Serve", &serves], POD_SECONDS)?;
        Ok(Scene {
            network: running.machine(control::NAME).ok().map(|control| control.network()),
            target: istio::gateway(running)?,
            host: format!("kn-fib.default.{}", knative::DOMAIN),
            path: PATH.to_owned(),
            pods: PODS.to_owned(),
            namespace: "default".to_owned(),
            service: REVISION.to_owned(),
        })
    }

    fn protect(&self, running: &Running, _scene: &Scene, keys: &[&str]) -> anyhow::Result<()> {
        // net-istio's routes have no names.
        let (service, namespace, proxies) = (REVISION, "default", Proxies::Gateways);
        let filter = envoy_filter::render(&Protected { service, namespace, proxies, route: None, keys })?;
        running.kubectl().apply(&filter.to_string()).map(drop)
    }

    fn clear(&self, running: &Running) -> anyhow::Result<()> {
        let kubectl = running.kubectl();
        kubectl.delete(OBJECTS)?;
        let selector = format!("--selector={PODS}");
        kubectl.wait(&["--for=delete", MADE_OF_IT, &selector], POD_SECONDS)?;
        // They would serve for minutes on, as their revision's time limit allows.
        kubectl.run(&["delete", "pods", &selector, "--grace-period=1"]).map(drop)
    }

    fn proxy(&self) -> Proxy {
        istio::ingress_gateway()
    }
}
