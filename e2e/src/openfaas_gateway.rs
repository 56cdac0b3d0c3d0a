//! A function of OpenFaaS whose clients call OpenFaaS' gateway, which sends to pods past the mesh: it asks for a route.

use crate::annotated::Annotated;
use crate::caller;
use crate::cluster::layers::Layer;
use crate::cluster::openfaas;
use crate::cluster::proxy::Proxy;
use crate::cluster::running::Running;
use crate::scenario::{PATH, Scene, Stage};

/// What is asked for beside a strategy.
const ROUTE: &str = "route: gateway";

/// A function of another scenario, called through OpenFaaS' gateway.
#[derive(Clone, Copy)]
pub struct OpenFaasGateway {
    /// The function, protected by annotation.
    pub function: &'static Annotated,
    /// Who calls it.
    pub clients: Clients,
}

/// Who calls OpenFaaS' gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clients {
    /// Somebody outside, through Istio's gateway.
    Outside,
    /// A pod, through its sidecar.
    InMesh,
}

impl Stage for OpenFaasGateway {
    fn layers(&self) -> &'static [Layer] {
        match self.clients {
            Clients::Outside => self.function.layers(),
            Clients::InMesh => &[Layer::Sidecars, Layer::Openfaas, Layer::Steadfaas],
        }
    }

    fn set(&self, running: &Running) -> anyhow::Result<Scene> {
        let scene = self.function.set(running)?;
        let scene = Scene { path: format!("/function/{}{PATH}", scene.service), ..scene };
        if self.clients == Clients::Outside {
            return Ok(Scene { host: openfaas::HOST.to_owned(), ..scene });
        }
        caller::set(running)?;
        let (network, service, port) = (caller::network(running)?, openfaas::SERVICE, openfaas::PORT);
        let target = caller::address(running, openfaas::NAMESPACE, service, port)?;
        Ok(Scene { network, target, host: format!("{service}.{}:{port}", openfaas::NAMESPACE), ..scene })
    }

    fn protect(&self, running: &Running, scene: &Scene, keys: &[&str]) -> anyhow::Result<()> {
        self.function.protect(running, scene, &[keys, &[ROUTE]].concat())
    }

    fn unprotect(&self, running: &Running) -> anyhow::Result<()> {
        self.function.unprotect(running)
    }

    fn clear(&self, running: &Running) -> anyhow::Result<()> {
        if self.clients == Clients::InMesh {
            caller::clear(running)?;
        }
        self.function.clear(running)
    }

    fn proxy(&self) -> Proxy {
        match self.clients {
            Clients::Outside => self.function.proxy(),
            Clients::InMesh => caller::proxy(),
        }
    }
}
