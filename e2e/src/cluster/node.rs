//! A node: containerd, kubelet and kube-proxy on a machine of their own.

mod config;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::machine::{Machine, Program};
use super::record::Records;

/// The image of each pod's first process.
pub const PAUSE_IMAGE: &str = "dev.local/pause:1";

/// containerd answers half a second after its start.
const CONTAINERD_PATIENCE: Duration = Duration::from_secs(60);

/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// What kind of node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// For what the cluster itself needs: it isn't lost when a worker is.
    System,
    /// For functions.
    Worker,
}

/// A node that is to be started.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its number, from 1 on: addresses depend on it.
    pub number: u8,
    /// Its name.
    pub name: String,
    /// What kind it is.
    pub role: Role,
}

impl Node {
    /// The nodes of a cluster with so many workers: the system node comes first.
    #[must_use]
    pub fn all(workers: u8) -> Vec<Self> {
        let system = Self { number: 1, name: "system".to_owned(), role: Role::System };
        let worker = |index| Self { number: index + 1, name: format!("worker{index}"), role: Role::Worker };
        std::iter::once(system).chain((1..=workers).map(worker)).collect()
    }
}

/// Starts containerd and brings it these images.
///
/// # Errors
/// It doesn't start.
pub fn start_containerd(
    machine: &Machine,
    node: &Node,
    images: &[PathBuf],
    records: &Records,
) -> anyhow::Result<()> {
    let path = |name: &str| machine.folder().join(name).to_string_lossy().into_owned();
    fs::create_dir_all(path("cni"))?;
    fs::write(path("cni/10-pods.conflist"), config::cni(node).to_string())?;
    fs::write(path("containerd.toml"), config::containerd(&path("cni")))?;
    let containerd =
        Program::new("containerd", "containerd").args(["--config".to_owned(), path("containerd.toml")]);
    machine.start_program(&containerd, records)?;
    let began = Instant::now();
    while machine.run("ctr", &["version"]).is_err() {
        let late = began.elapsed() > CONTAINERD_PATIENCE;
        anyhow::ensure!(
            !late,
            "containerd on {} doesn't answer; its log is {}",
            node.name,
            path("log/containerd.log")
        );
        std::thread::sleep(ASK_EVERY);
    }
    images.iter().try_for_each(|image| import(machine, image))
}

/// Brings containerd an image.
///
/// # Errors
/// It takes it for none.
pub fn import(machine: &Machine, tarball: &Path) -> anyhow::Result<()> {
    let tarball = tarball.to_string_lossy();
    machine.run("ctr", &["--namespace=k8s.io", "images", "import", &tarball]).map(drop)
}

/// Starts kubelet and kube-proxy.
///
/// # Errors
/// They can't be started.
pub fn start_kubelet(
    machine: &Machine,
    node: &Node,
    kubernetes: &Path,
    records: &Records,
) -> anyhow::Result<()> {
    let path = |name: &str| machine.folder().join(name).to_string_lossy().into_owned();
    let kubeconfig = records.folder().kubeconfig();
    fs::write(path("kubelet.yaml"), config::kubelet(node, &records.folder().mark()).to_string())?;
    fs::write(path("kube-proxy.yaml"), config::kube_proxy(node, &kubeconfig).to_string())?;
    // Answers between two pods on one bridge must pass netfilter again, or what kube-proxy did to their requests is not
    // undone. Kernels that always let them have no such switch.
    let bridged = machine
        .command("sysctl")
        .args(["-q", "-w", "net.bridge.bridge-nf-call-iptables=1"])
        .stderr(Stdio::null())
        .status();
    bridged.context("`sysctl` (procps) can't be started")?;
    let kubelet = Program::new("kubelet", kubernetes.join("kubelet")).args([
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--config={}", path("kubelet.yaml")),
        format!("--hostname-override={}", node.name),
        format!("--node-ip={}", super::network::node_address(node.number)),
        format!("--cert-dir={}", path("certificates")),
    ]);
    let kubelet = match node.role {
        Role::System => {
            kubelet.args(["--node-labels=role=system", "--register-with-taints=role=system:NoSchedule"])
        }
        Role::Worker => kubelet.args(["--node-labels=role=worker"]),
    };
    machine.start_program(&kubelet, records)?;
    let proxy = Program::new("kube-proxy", kubernetes.join("kube-proxy"))
        .args([format!("--config={}", path("kube-proxy.yaml"))]);
    machine.start_program(&proxy, records)
}
