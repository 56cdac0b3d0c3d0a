//! OpenFaaS, whose modules aren't to be had: its namespaces, and a stand-in for its gateway and provider. Functions are
//! objects as faas-netes makes them (`e2e/openfaas/fib.yaml`).

use std::fs;
use std::time::Instant;

use xtask::command::{cargo, run, say};
use xtask::supplies::released;

use super::image::Image;
use super::images::NOBODY;
use super::kubectl::POD_SECONDS;
use super::node;
use super::running::Running;

/// What `up` and the record call it.
pub const LAYER: &str = "openfaas";

/// By this name Istio's gateway knows the stand-in; `gateway.yaml` says so.
pub const HOST: &str = "openfaas.steadfaas.test";

/// Where the stand-in is.
pub const NAMESPACE: &str = "openfaas";

/// Its Service.
pub const SERVICE: &str = "gateway";

/// That Service's port.
pub const PORT: u16 = 8080;

/// The namespaces, the stand-in and its way through Istio's gateway.
const OBJECTS: &str = include_str!("../../openfaas/gateway.yaml");

/// The stand-in's program, which `gateway.yaml` names as an image too.
const GATEWAY: &str = "fake-openfaas-gateway";

/// Puts it on a cluster that has Istio but not this.
///
/// # Errors
/// Something is missing or doesn't start.
pub fn add(running: &Running) -> anyhow::Result<()> {
    if running.records()?.read().with.iter().any(|layer| layer == LAYER) {
        return Ok(());
    }
    say(&format!("building {GATEWAY}"));
    run(cargo().args(["build", "--quiet", "--release", "--package", GATEWAY]))?;
    let (began, kubectl) = (Instant::now(), running.kubectl());
    let system = running.machine("system")?;
    let tarball = system.folder().join("openfaas.tar");
    let image = Image::of_program(&format!("dev.local/{GATEWAY}:1"), &released(GATEWAY))?;
    image.with_program("kubectl", &kubectl.sibling("kubectl"))?.user(NOBODY).write(&tarball)?;
    node::import(&system, &tarball)?;
    fs::remove_file(&tarball)?;
    kubectl.apply(OBJECTS)?;
    kubectl
        .wait(&["--for=condition=Available", "--namespace=openfaas", "deployment/gateway"], POD_SECONDS)?;
    running.records()?.add_layer(LAYER)?;
    say(&format!("the stand-in for OpenFaaS runs after {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}
