//! Istio: the real istiod beside the API server, and a pod with the real agent and a stock Envoy as ingress gateway.

mod injection;

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use xtask::command::say;
use xtask::envoy;

use super::control::{self, programs};
use super::endpoint::Endpoint;
use super::image::Image;
use super::machine::{Machine, Program};
use super::node;
use super::process::ProcessId;
use super::proxy::Proxy;
use super::running::{Running, Theirs};
use super::tools::{self, ISTIO};
use super::up::joined;

/// What `up` and the record call it.
pub const LAYER: &str = "istio";

const OBJECTS: &str = include_str!("../../cluster/istio.yaml");
const MESH: &str = include_str!("../../cluster/mesh.yaml");
const NAMESPACE: &str = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"istio-system"}}"#;

/// Its name in the record and in logs.
pub(super) const ISTIOD: &str = "istiod";

/// The proxy's image; `istio.yaml` names it.
const PROXY_IMAGE: &str = "dev.local/proxy:1";

/// What `istio-init` leads traffic by; the one on nftables, whatever is the machine's own choice.
const IPTABLES: &str = "/usr/sbin/xtables-nft-multi";

/// The port of the gateway's pod on which clients are awaited; `istio.yaml` names it.
const GATEWAY_PORT: u16 = 8080;

/// The port on which istiod tells of itself.
const DEBUG_PORT: u16 = 15014;

/// istiod hands out the mesh's root certificate some 3 s after its start.
const ISTIOD_PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The gateway is ready some 5 s later; the rest is for a machine that does other things too.
const READY_SECONDS: u32 = 120;

/// Settings of istiod: what its chart sets, and those two without which it configures filters that only Istio's own
/// build of Envoy has.
const VARIABLES: [(&str, &str); 8] = [
    ("POD_NAMESPACE", "istio-system"),
    ("POD_NAME", "istiod-1"),
    ("CLUSTER_ID", "Kubernetes"),
    ("REVISION", "default"),
    ("JWT_POLICY", "third-party-jwt"),
    ("PILOT_CERT_PROVIDER", "istiod"),
    ("PILOT_ENABLE_METADATA_EXCHANGE", "false"),
    ("PILOT_ENABLE_ALPN_FILTER", "false"),
];

/// Puts Istio on a cluster that doesn't have it.
///
/// # Errors
/// Something is missing or doesn't start.
pub fn add(running: &Running) -> anyhow::Result<()> {
    if running.records()?.read().with.iter().any(|layer| layer == LAYER) {
        return Ok(());
    }
    let programs = tools::ensure(&ISTIO)?;
    envoy::ensure(envoy::NEWEST)?;
    let began = Instant::now();
    let kubectl = running.kubectl();
    let crds = programs.join("crds.yaml");
    kubectl.apply(&fs::read_to_string(&crds).with_context(|| format!("cannot read {}", crds.display()))?)?;
    kubectl.apply(NAMESPACE)?;
    kubectl.apply(&injection::config_map(&programs)?.to_string())?;
    start_istiod(running, &programs)?;
    bring_proxy(running, &[running.machine("system")?])?;
    wait_for_istiod(running)?;
    kubectl.apply(OBJECTS)?;
    let available = "--for=condition=Available";
    kubectl
        .wait(&[available, "--namespace=istio-system", "deployment/istio-ingressgateway"], READY_SECONDS)?;
    running.records()?.add_layer(LAYER)?;
    say(&format!("Istio runs after {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}

/// Where the gateway's clients go: to its pod, from the control plane's machine; on another's cluster where they said,
/// or where its load balancer is.
///
/// # Errors
/// There is no gateway.
pub fn gateway(running: &Running) -> anyhow::Result<SocketAddr> {
    let (what, field, port) = match running.theirs() {
        Some(Theirs { gateway: Some(address), .. }) => return Ok(*address),
        Some(_) => ("services", "status.loadBalancer.ingress[0].ip", 80),
        None => ("pods", "status.podIP", GATEWAY_PORT),
    };
    let address = format!("--output=jsonpath={{.items[0].{field}}}");
    let words = ["get", what, "--namespace=istio-system", "--selector=istio=ingressgateway", &address];
    let said = running.kubectl().run(&words)?;
    let address: IpAddr = said.parse().with_context(|| format!("the gateway has no address: {said:?}"))?;
    Ok(SocketAddr::new(address, port))
}

/// Starts istiod anew with these variables beside its usual ones, until it is started anew without.
///
/// # Errors
/// It doesn't start.
pub fn restart_istiod(running: &Running, variables: &[(String, String)]) -> anyhow::Result<()> {
    let known = programs::known(running, ISTIOD)?;
    let program = variables.iter().fold(known, |program, (name, value)| program.variable(name, value));
    programs::restart(running, &program)
}

/// The process that istiod is.
///
/// # Errors
/// It doesn't run here.
pub fn istiod(running: &Running) -> anyhow::Result<ProcessId> {
    let known = running.records()?.program(control::NAME, ISTIOD);
    known.and_then(|known| known.process.child()).context("istiod doesn't run")
}

/// istiod's own endpoint for who looks closely.
///
/// # Errors
/// There is no istiod.
pub fn debug(running: &Running) -> anyhow::Result<Endpoint> {
    if let Ok(control) = running.machine(control::NAME) {
        return Ok(Endpoint::within(control.network(), DEBUG_PORT));
    }
    let istiod = Proxy { namespace: "istio-system".to_owned(), label: "app=istiod".to_owned() };
    let [name, ..] = istiod.find(running)?;
    Endpoint::forwarded(running.kubectl(), &istiod.namespace, &name, DEBUG_PORT)
}

/// The gateway's pod.
#[must_use]
pub fn ingress_gateway() -> Proxy {
    Proxy { namespace: "istio-system".to_owned(), label: "istio=ingressgateway".to_owned() }
}

fn start_istiod(running: &Running, programs: &Path) -> anyhow::Result<()> {
    let control = running.machine(control::NAME)?;
    let mesh = control.folder().join("mesh.yaml");
    fs::write(&mesh, MESH)?;
    let istiod = Program::new(ISTIOD, programs.join("pilot-discovery")).args([
        "discovery".to_owned(),
        format!("--kubeconfig={}", running.records()?.folder().kubeconfig().display()),
        format!("--meshConfig={}", mesh.display()),
        "--monitoringAddr=:15014".to_owned(),
        "--domain=cluster.local".to_owned(),
    ]);
    let set = |istiod: Program, (name, value): &(&str, &str)| istiod.variable(name, value);
    control.start_program(&VARIABLES.iter().fold(istiod, set), running.records()?)
}

/// Pods can't start before the config map with the mesh's root certificate is there.
fn wait_for_istiod(running: &Running) -> anyhow::Result<()> {
    let began = Instant::now();
    let words = ["get", "configmap", "istio-ca-root-cert", "--namespace=istio-system"];
    while running.kubectl().run(&words).is_err() {
        let runs = began.elapsed() < ISTIOD_PATIENCE && running.records()?.runs(control::NAME, ISTIOD);
        anyhow::ensure!(runs, "istiod doesn't work; `cargo cluster logs istiod` may say why");
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Brings these nodes the proxy's image.
///
/// # Errors
/// Something of it is missing.
pub(super) fn bring_proxy(running: &Running, nodes: &[Machine]) -> anyhow::Result<()> {
    let tarball = running.records()?.folder().join("images/proxy.tar");
    proxy_image(&tools::ensure(&ISTIO)?, &envoy::ensure(envoy::NEWEST)?)?.write(&tarball)?;
    thread::scope(|scope| {
        let tarball = &tarball;
        let import = |node| scope.spawn(move || node::import(node, tarball));
        let importing: Vec<_> = nodes.iter().map(import).collect();
        importing.into_iter().try_for_each(joined)
    })?;
    Ok(fs::remove_file(&tarball)?)
}

/// Istio's agent where its own image has it, a stock Envoy, the template of its bootstrap, and what `istio-init` runs.
fn proxy_image(programs: &Path, envoy: &Path) -> anyhow::Result<Image> {
    let template = "var/lib/istio/envoy/envoy_bootstrap_tmpl.json";
    let image = Image::of_program(PROXY_IMAGE, &programs.join("pilot-agent"))?;
    let image = image.with_link("usr/local/bin/pilot-agent", "/pilot-agent");
    let image = image.with_program("usr/local/bin/envoy", envoy)?;
    with_iptables(image.with_file(template, &programs.join("envoy_bootstrap.json")))
}

/// Debian's iptables on nftables: one program of several names, and its extensions where it looks for them.
fn with_iptables(image: Image) -> anyhow::Result<Image> {
    let program = fs::canonicalize(IPTABLES)
        .with_context(|| format!("there is no {IPTABLES}: Debian's `iptables` has it"))?;
    let mut image = image.with_program("usr/sbin/xtables-nft-multi", &program)?;
    for name in ["iptables", "ip6tables"] {
        for end in ["", "-save", "-restore"] {
            image = image.with_link(&format!("usr/sbin/{name}{end}"), "xtables-nft-multi");
        }
    }
    let folder = format!("/usr/lib/{}-linux-gnu/xtables", std::env::consts::ARCH);
    let extensions = fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))?;
    for extension in extensions {
        let extension = extension?.path();
        let inside = extension.to_string_lossy().trim_start_matches('/').to_owned();
        image = image.with_file(&inside, &extension);
    }
    Ok(image)
}
