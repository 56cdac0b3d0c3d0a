//! `commands`: steadfaas' own commands, one after the other, as a newcomer uses them on a cluster with Istio. The last one
//! takes everything away again under load.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use serde_json::Value;
use steadfaas_tests::load::Load;
use steadfaas_tests::record::failed;

use crate::behind_gateway::FIB;
use crate::cluster::endpoint::enter;
use crate::cluster::running::Running;
use crate::cluster::steadfaas::IMAGE;
use crate::cluster::{self, control, layers};
use crate::scenario::{Scene, Stage as _};
use crate::shipped;

/// An annotation is in use within 3 s; the rest is for a machine that does other things too.
const PROTECTED_PATIENCE: Duration = Duration::from_secs(30);

/// How often it is asked whether it is.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Requests a second while everything is taken away, and for how long: it takes 2 s, and what it left behind is met too.
const RATE: f64 = 100.0;
const SECONDS: f64 = 15.0;

/// All of them.
///
/// # Errors
/// A command doesn't do what it says, or a request fails.
pub fn run(running: &Running) -> anyhow::Result<()> {
    layers::add(running, FIB.layers())?;
    cluster::steadfaas::bring_image(running)?;
    let steadfaas = Steadfaas { running, program: shipped::steadfaas()? };
    let scene = FIB.set(running)?;
    steadfaas.run(&["install", "--proxies=gateway", "--image", IMAGE])?;
    steadfaas.run(&["protect", "deployment/fib", "--strategy=active-standby"])?;
    wait_until_protected(&steadfaas)?;
    steadfaas.run(&["status", "fib"])?;
    steadfaas.run(&["doctor"])?;
    let url = format!("http://{}/?n=15", scene.target);
    steadfaas.run(&["drill", "fib", "--grace=1", "--call", &url, "--host", &scene.host])?;
    uninstall(&scene, &steadfaas)?;
    nothing_is_left(running)?;
    FIB.clear(running)?;
    // Others count on it.
    let was_there = running.records()?.read().with.iter().any(|layer| layer == cluster::steadfaas::LAYER);
    if was_there { cluster::steadfaas::install(running) } else { Ok(()) }
}

/// The program on the control plane's machine.
struct Steadfaas<'a> {
    running: &'a Running,
    program: PathBuf,
}

impl Steadfaas<'_> {
    /// What it says. It has to end well.
    fn run(&self, args: &[&str]) -> anyhow::Result<String> {
        let control = self.running.machine(control::NAME)?;
        let mut command = control.in_network(&self.program);
        command.args(args).arg("--kubeconfig").arg(self.running.records()?.folder().kubeconfig());
        let output = command.output().context("steadfaas can't be started")?;
        let (said, complained) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        println!("$ steadfaas {}\n{complained}{said}", args.join(" "));
        anyhow::ensure!(
            output.status.success(),
            "`steadfaas {}` ended with {}",
            args.join(" "),
            output.status
        );
        Ok(said.into_owned())
    }
}

/// Until `status` says that the gateway has the function, with both replicas well.
fn wait_until_protected(steadfaas: &Steadfaas<'_>) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let rows: Value = serde_json::from_str(&steadfaas.run(&["status", "fib", "--json"])?)?;
        let number = |path: &str| rows.pointer(path).and_then(Value::as_u64);
        if number("/0/proxies/gateways") == Some(1) && number("/0/spare") == Some(1) {
            return Ok(());
        }
        anyhow::ensure!(began.elapsed() < PROTECTED_PATIENCE, "fib isn't protected: {rows}");
        std::thread::sleep(ASK_EVERY);
    }
}

/// While clients go on calling.
fn uninstall(scene: &Scene, steadfaas: &Steadfaas<'_>) -> anyhow::Result<()> {
    let calling = || -> anyhow::Result<usize> {
        enter(scene.network.as_deref())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let load = Load { host: Some(scene.host.clone()), ..Load::new(scene.target, RATE, SECONDS) };
        let outcomes = runtime.block_on(load.run())?;
        Ok(failed(&outcomes))
    };
    let failed = std::thread::scope(|scope| {
        let calling = scope.spawn(calling);
        steadfaas.run(&["uninstall", "--proxies=gateway", "--image", IMAGE])?;
        calling.join().map_err(|_| anyhow!("the clients' thread panicked"))?
    })?;
    anyhow::ensure!(failed == 0, "while it was uninstalled {failed} requests failed");
    Ok(())
}

/// Neither objects nor what the controller wrote on functions; what the owner wrote is.
fn nothing_is_left(running: &Running) -> anyhow::Result<()> {
    let kinds =
        "namespaces,clusterroles,clusterrolebindings,roles,rolebindings,envoyfilters,deployments,leases";
    let ours = "--selector=app.kubernetes.io/part-of=steadfaas";
    let objects = running.kubectl().run(&["get", kinds, "--all-namespaces", ours, "--output=name"])?;
    let filters = running.kubectl().run(&["get", "envoyfilters", "--all-namespaces", "--output=name"])?;
    let annotations = "--output=jsonpath={.metadata.annotations}";
    let annotations = running.kubectl().run(&["get", "deployment/fib", annotations])?;
    anyhow::ensure!(objects.is_empty() && filters.is_empty(), "left behind: {objects}{filters}");
    anyhow::ensure!(!annotations.contains("steadfaas.dev/status"), "left behind: {annotations}");
    anyhow::ensure!(annotations.contains("steadfaas.dev/strategy"), "taken away: {annotations}");
    Ok(())
}
