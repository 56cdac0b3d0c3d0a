//! Knative Serving: its own pods and YAML, from Go modules; only net-istio is stood in for.

mod objects;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use anyhow::Context as _;
use xtask::command::say;

use super::control;
use super::image::Image;
use super::images::NOBODY;
use super::machine::{Machine, Program};
use super::node;
use super::running::Running;
use super::tools::{self, KNATIVE};
use super::up::joined;

/// What `up` and the record call it.
pub const LAYER: &str = "knative";

/// The domain of functions that are reached from outside: `<name>.<namespace>.steadfaas.test`.
pub const DOMAIN: &str = "steadfaas.test";

/// What net-istio has beside its controller: its two Gateways.
const GATEWAYS: &str = include_str!("../../cluster/knative-gateways.yaml");

/// The name of the stand-in, as a program and as a command of `cargo cluster`.
pub const STAND_IN: &str = "net-istio-stand-in";

/// Its pods are ready some 10 s after they were asked for; the rest is for a machine that does other things too.
const READY_SECONDS: u32 = 180;

/// What comes first: kinds, accounts, settings.
const GROUND: [&str; 7] = [
    "namespace.yaml",
    "serving-crds.yaml",
    "certificate-crd.yaml",
    "domain-claim-crd.yaml",
    "ingress-crd.yaml",
    "serverlessservice-crd.yaml",
    "image-crd.yaml",
];
const SETTINGS: [&str; 5] =
    ["accounts.yaml", "roles.yaml", "webhook-secret.yaml", "config.yaml", "config-network.yaml"];

/// Settings that differ from Knative's own: config map, change. The digests of images are asked of no registry.
const CHANGED: [(&str, &str); 2] = [
    ("config-deployment", r#"{"data":{"registries-skipping-tag-resolving":"dev.local"}}"#),
    ("config-domain", r#"{"data":{"steadfaas.test":""}}"#),
];

/// Its pods, each with an image of the program of that name.
const PODS: [&str; 4] = ["activator", "autoscaler", "controller", "webhook"];

/// The image of the container that Knative puts beside each function.
const QUEUE: &str = "queue";

/// They refuse everything until the webhook's pod has told them its certificate, and so come last.
const WEBHOOKS: [&str; 3] = ["configmap-validation.yaml", "defaulting.yaml", "resource-validation.yaml"];

/// What the webhook's pod writes into each of them.
const CERTIFICATE: &str = "--for=jsonpath={.webhooks[0].clientConfig.caBundle}";

/// Puts Knative on a cluster that has Istio but not this; where it is there, only a stand-in that ended is started again.
///
/// # Errors
/// Something is missing or doesn't start.
pub fn add(running: &Running) -> anyhow::Result<()> {
    if running.records()?.read().with.iter().any(|layer| layer == LAYER) {
        let stands_in = running.records()?.runs(control::NAME, STAND_IN);
        return if stands_in { Ok(()) } else { start_stand_in(running) };
    }
    let programs = tools::ensure(&KNATIVE)?;
    let began = Instant::now();
    thread::scope(|scope| {
        let images = scope.spawn(|| bring_images(running, &programs));
        lay_ground(running, &programs)?;
        joined(images)
    })?;
    start_stand_in(running)?;
    start_pods(running, &programs)?;
    running.records()?.add_layer(LAYER)?;
    say(&format!("Knative runs after {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}

fn lay_ground(running: &Running, programs: &Path) -> anyhow::Result<()> {
    let kubectl = running.kubectl();
    kubectl.apply(&objects::read(programs, &GROUND)?)?;
    let kinds = ["--for=condition=Established", "customresourcedefinition", "--all"];
    kubectl.wait(&kinds, READY_SECONDS)?;
    kubectl.apply(&objects::fitted(programs, &SETTINGS)?)?;
    kubectl.apply(GATEWAYS)?;
    for (map, change) in CHANGED {
        let map = format!("configmap/{map}");
        kubectl.run(&["patch", &map, "--namespace=knative-serving", "--type=merge", "--patch", change])?;
    }
    Ok(())
}

fn start_pods(running: &Running, programs: &Path) -> anyhow::Result<()> {
    let kubectl = running.kubectl();
    let files: Vec<String> = PODS.iter().map(|name| format!("{name}.yaml")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).chain(["queue-image.yaml"]).collect();
    kubectl.apply(&objects::fitted(programs, &files)?)?;
    let available = ["--for=condition=Available", "--namespace=knative-serving", "deployment", "--all"];
    kubectl.wait(&available, READY_SECONDS).context("Knative's pods don't get ready")?;
    kubectl.apply(&objects::read(programs, &WEBHOOKS)?)?;
    for (kind, name) in [
        ("mutatingwebhookconfiguration", "webhook.serving.knative.dev"),
        ("validatingwebhookconfiguration", "validation.webhook.serving.knative.dev"),
        ("validatingwebhookconfiguration", "config.webhook.serving.knative.dev"),
    ] {
        kubectl.wait(&[CERTIFICATE, kind, name], READY_SECONDS)?;
    }
    Ok(())
}

/// Makes the images and brings each node those that it needs.
fn bring_images(running: &Running, programs: &Path) -> anyhow::Result<()> {
    let folder = running.records()?.folder().join("images");
    let machines = running.machines()?;
    let queue = make_image(programs, &folder, QUEUE)?;
    let nodes = machines.iter().filter(|machine| machine.name() != control::NAME);
    thread::scope(|scope| {
        let bring = |node: &'_ Machine| {
            node::import(node, &queue)?;
            if node.name() == "system" {
                PODS.iter().try_for_each(|name| node::import(node, &make_image(programs, &folder, name)?))?;
            }
            Ok(())
        };
        let bringing: Vec<_> = nodes.map(|node| scope.spawn(move || bring(node))).collect();
        bringing.into_iter().try_for_each(joined)
    })
}

fn make_image(programs: &Path, folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let tarball = folder.join(format!("knative-{name}.tar"));
    Image::of_program(&objects::image(name), &programs.join(name))?.user(NOBODY).write(&tarball)?;
    Ok(tarball)
}

/// Starts the stand-in for net-istio's controller on the control plane's machine: this program, with another command.
fn start_stand_in(running: &Running) -> anyhow::Result<()> {
    let this = std::env::current_exe().context("this program doesn't know where it is")?;
    let path = |path: PathBuf| path.to_string_lossy().into_owned();
    let program = Program::new(STAND_IN, this).args([
        STAND_IN.to_owned(),
        "--kubectl".to_owned(),
        path(running.kubectl().sibling("kubectl")),
        "--kubeconfig".to_owned(),
        path(running.records()?.folder().kubeconfig()),
    ]);
    running.machine(control::NAME)?.start_program(&program, running.records()?)
}
