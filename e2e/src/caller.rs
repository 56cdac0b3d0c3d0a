//! A pod that calls others through its own sidecar.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context as _;

use crate::cluster::proxy::Proxy;
use crate::cluster::running::Running;

/// The pod.
const OBJECTS: &str = include_str!("../sidecar-caller/caller.yaml");

/// Makes it, and waits until it can call.
///
/// # Errors
/// It doesn't get ready.
pub fn set(running: &Running) -> anyhow::Result<()> {
    let kubectl = running.kubectl();
    kubectl.apply(OBJECTS)?;
    kubectl.wait_for_rollout("default", "caller")
}

/// Its network, as a file: what is sent from there is the pod's own traffic, and goes through its sidecar.
///
/// # Errors
/// There is no such pod.
pub fn network(running: &Running) -> anyhow::Result<Option<PathBuf>> {
    Ok(proxy().admin(running)?.network().map(ToOwned::to_owned))
}

/// The address by which it calls a Service at this port.
///
/// # Errors
/// There is no such Service.
pub fn address(running: &Running, namespace: &str, service: &str, port: u16) -> anyhow::Result<SocketAddr> {
    let (namespace, service) = (format!("--namespace={namespace}"), format!("service/{service}"));
    let address = ["get", &service, &namespace, "--output=jsonpath={.spec.clusterIP}"];
    let address: IpAddr = running.kubectl().run(&address)?.parse().context("the Service has no address")?;
    Ok(SocketAddr::new(address, port))
}

/// Takes it away.
///
/// # Errors
/// It can't be taken away.
pub fn clear(running: &Running) -> anyhow::Result<()> {
    running.kubectl().delete(OBJECTS).map(drop)
}

/// Its sidecar.
#[must_use]
pub fn proxy() -> Proxy {
    Proxy { namespace: "default".to_owned(), label: "app=caller".to_owned() }
}
