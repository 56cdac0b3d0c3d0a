//! steadfaas as its users put it on a cluster: the objects of `steadfaas render`, by `kubectl apply`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;
use xtask::command::say;

use super::image::Image;
use super::images::NOBODY;
use super::kubectl::POD_SECONDS;
use super::node;
use super::running::Running;
use crate::shipped;

/// What `up` and the record call it.
pub const LAYER: &str = "steadfaas";

/// The controller's image.
pub const IMAGE: &str = "dev.local/steadfaas:1";

/// The controller's namespace.
pub const NAMESPACE: &str = "steadfaas-system";

/// The controller's Deployment.
pub const CONTROLLER: &str = "deployment/steadfaas-controller";

/// The label of its pods.
pub const PODS: &str = "app.kubernetes.io/name=steadfaas-controller";

/// How many controllers the manifest has.
const CONTROLLERS: u32 = 2;

/// Kubernetes' garbage collector begins as soon as what owns them is gone; the rest is for a machine that does other things
/// too.
const GONE_SECONDS: u32 = 30;

/// Puts it on a cluster that has Istio but not this.
///
/// # Errors
/// Something is missing or doesn't start.
pub fn add(running: &Running) -> anyhow::Result<()> {
    if running.records()?.read().with.iter().any(|layer| layer == LAYER) {
        return Ok(());
    }
    let began = Instant::now();
    bring_image(running)?;
    install(running)?;
    running.records()?.add_layer(LAYER)?;
    say(&format!("steadfaas runs after {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}

/// Brings all nodes the controller's image.
///
/// # Errors
/// The program can't be built, or a node takes it for no image.
pub fn bring_image(running: &Running) -> anyhow::Result<()> {
    let tarball = running.records()?.folder().join("steadfaas.tar");
    write_image(IMAGE, &tarball)?;
    for machine in running.machines()?.iter().filter(|machine| machine.name() != super::control::NAME) {
        node::import(machine, &tarball)?;
    }
    Ok(fs::remove_file(&tarball)?)
}

/// Writes the controller's image, under this name, as an OCI archive: it runs on machines of this one's kind.
///
/// # Errors
/// The program can't be built, or the file not be written.
pub fn write_image(name: &str, tarball: &Path) -> anyhow::Result<()> {
    Image::of_program(name, &shipped::steadfaas()?)?.user(NOBODY).write(tarball)
}

/// Applies it, as a user does, and waits for the controller.
///
/// # Errors
/// The cluster refuses, or the controller doesn't start.
pub fn install(running: &Running) -> anyhow::Result<()> {
    let kubectl = running.kubectl();
    let (namespace, phase) = (format!("namespace/{NAMESPACE}"), "--output=jsonpath={.status.phase}");
    if kubectl.run(&["get", &namespace, phase]).is_ok_and(|phase| phase == "Terminating") {
        // It takes nothing new.
        kubectl.wait(&["--for=delete", &namespace], POD_SECONDS)?;
    }
    kubectl.feed(&["apply", "-f", "-"], rendered()?.as_bytes())?;
    wait(running)
}

fn wait(running: &Running) -> anyhow::Result<()> {
    let available = ["--for=condition=Available", &format!("--namespace={NAMESPACE}"), CONTROLLER];
    running.kubectl().wait(&available, POD_SECONDS)
}

/// Takes its controller away.
///
/// # Errors
/// The cluster refuses.
pub fn stop(running: &Running) -> anyhow::Result<()> {
    scale(running, 0)
}

/// Takes its controller away, and waits until its pods are gone.
///
/// # Errors
/// The cluster refuses, or they don't go.
pub fn end(running: &Running) -> anyhow::Result<()> {
    stop(running)?;
    let gone = ["--for=delete", "pods", &format!("--namespace={NAMESPACE}"), &format!("--selector={PODS}")];
    running.kubectl().wait(&gone, POD_SECONDS)
}

/// Brings its controller back, and waits for it.
///
/// # Errors
/// The cluster refuses, or the controller doesn't start.
pub fn start(running: &Running) -> anyhow::Result<()> {
    begin(running)?;
    wait(running)
}

/// Brings its controller back, without waiting for it: Kubernetes says up to 10 s later that it is ready.
///
/// # Errors
/// The cluster refuses.
pub fn begin(running: &Running) -> anyhow::Result<()> {
    scale(running, CONTROLLERS)
}

fn scale(running: &Running, replicas: u32) -> anyhow::Result<()> {
    let (namespace, replicas) = (format!("--namespace={NAMESPACE}"), format!("--replicas={replicas}"));
    running.kubectl().run(&["scale", CONTROLLER, &namespace, &replicas]).map(drop)
}

/// Takes it away, as a user does, and waits until Kubernetes has taken along what the controller made.
///
/// # Errors
/// The cluster refuses, or something is left behind.
pub fn uninstall(running: &Running) -> anyhow::Result<()> {
    running.kubectl().delete(&rendered()?)?;
    let kinds = "virtualservices.networking.istio.io,envoyfilters";
    let ours = ["--for=delete", kinds, "--namespace=istio-system", "--selector=steadfaas.dev/part"];
    running.kubectl().wait(&ours, GONE_SECONDS)
}

/// What `steadfaas render` prints for this cluster. Clients are told what was done for them.
fn rendered() -> anyhow::Result<String> {
    let output = Command::new(shipped::steadfaas()?)
        .args(["render", "--response-header", "--image", IMAGE])
        .output()
        .context("steadfaas can't be started")?;
    let error = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "steadfaas render failed: {}", error.trim());
    Ok(String::from_utf8(output.stdout)?)
}
