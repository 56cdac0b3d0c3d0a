//! Making a cluster: the control plane and the nodes side by side, then what every cluster has.

use std::path::PathBuf;
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use xtask::command::say;

use super::control;
use super::down;
use super::folder::Folder;
use super::images::{self, Made, Programs};
use super::kubectl::Kubectl;
use super::machine::Machine;
use super::network;
use super::node::{self, Node};
use super::record::Records;
use super::requirements;
use super::running::Running;
use super::tools::{self, COREDNS, ETCD, KUBERNETES};

/// The DNS server, as Kubernetes' own addon has it.
const DNS: &str = include_str!("../../cluster/coredns.yaml");

/// Nodes are ready some 6 s after the API server; the rest is for a machine that does other things too.
const READY_SECONDS: u64 = 120;

/// How often it is looked meanwhile whether a program has ended.
const LOOK_SECONDS: u32 = 5;

/// How many workers a cluster may have: their addresses end in a byte, and each takes some 150 MB.
pub const MOST_WORKERS: u8 = 20;

/// Makes a cluster with so many workers. One that is up stays as it is; what is left of another one is removed first.
///
/// # Errors
/// Something is missing or doesn't start. What was made until then stays to be looked at; `down` removes it.
pub fn up(workers: u8) -> anyhow::Result<Running> {
    let folder = Folder::of_user()?;
    let _lock = folder.lock()?;
    if let Some(record) = folder.read()? {
        if record.is_whole() {
            say("the cluster is up already");
            return Running::find();
        }
        say("removing what is left of an earlier cluster");
    }
    requirements::ensure()?;
    down::remove(&folder)?;
    let ingredients = Ingredients::gather()?;
    let began = Instant::now();
    let records = Records::begin(folder)?;
    raise(&records, &ingredients, &Node::all(workers)).map_err(|error| told_by_logs(error, &records))?;
    records.complete()?;
    say(&format!("the cluster is up after {:.1} s", began.elapsed().as_secs_f64()));
    Running::find()
}

/// What is made before anything is started.
#[derive(Debug)]
struct Ingredients {
    etcd: PathBuf,
    kubernetes: PathBuf,
    coredns: PathBuf,
    programs: Programs,
}

impl Ingredients {
    fn gather() -> anyhow::Result<Self> {
        Ok(Self {
            etcd: tools::ensure(&ETCD)?,
            kubernetes: tools::ensure(&KUBERNETES)?,
            coredns: tools::ensure(&COREDNS)?,
            programs: Programs::build()?,
        })
    }
}

fn raise(records: &Records, ingredients: &Ingredients, nodes: &[Node]) -> anyhow::Result<()> {
    let pause = &ingredients.programs.pause;
    let control = Machine::start(control::NAME, pause, records)?;
    control::start_api(&control, records, &ingredients.etcd, &ingredients.kubernetes)?;
    let kubectl = Kubectl::new(&control, &ingredients.kubernetes, &records.folder().kubeconfig());
    let images = images::make(&records.folder().join("images"), &ingredients.programs, &ingredients.coredns)?;
    let count = u8::try_from(nodes.len())?;
    let machines = thread::scope(|scope| {
        let controllers = scope.spawn(|| control::start_controllers(&control, records, &kubectl));
        let (control, images) = (&control, &images);
        let start = |node| scope.spawn(move || start_node(control, node, count, pause, images, records));
        let starting: Vec<_> = nodes.iter().map(start).collect();
        let machines = starting.into_iter().map(joined).collect::<anyhow::Result<Vec<_>>>();
        joined(controllers)?;
        machines
    })?;
    network::assert_closed(machines.iter().chain([&control]))?;
    for (machine, node) in machines.iter().zip(nodes) {
        node::start_kubelet(machine, node, &ingredients.kubernetes, records)?;
    }
    kubectl.apply(DNS)?;
    for node in nodes {
        let name = format!("node/{}", node.name);
        wait(records, &kubectl, &["--for=create", &name])?;
        wait(records, &kubectl, &["--for=condition=Ready", &name]).with_context(|| {
            format!("{} isn't ready; `cargo cluster logs {}/kubelet` may say why", node.name, node.name)
        })?;
    }
    let dns = ["--for=condition=Available", "--namespace=kube-system", "deployment/coredns"];
    wait(records, &kubectl, &dns)?;
    anyhow::ensure!(records.logs_of_ended().is_empty(), "all is there, but not all of it runs any more");
    Ok(())
}

/// As `kubectl wait` does, but not for what a program was to do that has ended.
fn wait(records: &Records, kubectl: &Kubectl, words: &[&str]) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let waited = kubectl.wait(words, LOOK_SECONDS);
        let late = began.elapsed().as_secs() >= READY_SECONDS;
        if waited.is_ok() || late || !records.logs_of_ended().is_empty() {
            return waited;
        }
    }
}

/// The error, and where those programs wrote that have ended.
fn told_by_logs(error: anyhow::Error, records: &Records) -> anyhow::Error {
    let logs = records.logs_of_ended();
    if logs.is_empty() {
        return error;
    }
    let logs: Vec<String> = logs.iter().map(|log| log.display().to_string()).collect();
    error.context(format!("programs of the cluster have ended, which wrote {}", logs.join(", ")))
}

fn start_node(
    control: &Machine,
    node: &Node,
    count: u8,
    pause: &std::path::Path,
    images: &[Made],
    records: &Records,
) -> anyhow::Result<Machine> {
    let machine = Machine::start(&node.name, pause, records)?;
    network::connect(control, &machine, node.number, count)?;
    node::start_containerd(&machine, node, &images::of_role(images, node.role), records)?;
    Ok(machine)
}

/// The answer of a thread.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, anyhow::Result<T>>) -> anyhow::Result<T> {
    thread.join().map_err(|_| anyhow!("a thread of the test bed panicked"))?
}
