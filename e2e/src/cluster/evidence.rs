//! What a scenario that failed leaves to be looked at: what Kubernetes, istiod and the gateway's Envoy held then.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

use super::control;
use super::kubectl::Kubectl;
use super::running::Running;

/// The agent in the gateway's pod asks Envoy's admin endpoint.
const ASK_ENVOY: [&str; 6] =
    ["exec", "--namespace=istio-system", "deployment/istio-ingressgateway", "--", "/pilot-agent", "request"];

/// What is asked of Kubernetes: file, words.
const ASKED: [(&str, &[&str]); 4] = [
    ("pods.yaml", &["get", "pods", "--all-namespaces", "--output=yaml"]),
    ("events.txt", &["get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"]),
    ("endpoints.yaml", &["get", "endpointslices", "--all-namespaces", "--output=yaml"]),
    ("gateway.log", &["logs", "--namespace=istio-system", "deployment/istio-ingressgateway"]),
];

/// Gathers it in a folder of its own in the target folder. What can't be had says so in its file.
///
/// # Errors
/// The folder can't be written.
pub fn gather(running: &Running, scenario: &str) -> anyhow::Result<PathBuf> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let folder = xtask::target_dir().join(format!("evidence/{scenario}-{now}"));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (file, words) in ASKED {
        write(&folder, file, running.kubectl(), words)?;
    }
    for dump in ["config_dump", "clusters", "stats"] {
        let words: Vec<&str> = ASK_ENVOY.into_iter().chain(["GET", dump]).collect();
        write(&folder, &format!("envoy-{dump}"), running.kubectl(), &words)?;
    }
    let control = running.machine(control::NAME)?;
    fs::copy(control.log("istiod"), folder.join("istiod.log")).context("istiod's log can't be copied")?;
    Ok(folder)
}

fn write(folder: &Path, file: &str, kubectl: &Kubectl, words: &[&str]) -> anyhow::Result<()> {
    let text = kubectl.run(words).unwrap_or_else(|error| format!("{error:#}\n"));
    fs::write(folder.join(file), text).with_context(|| format!("cannot write {file}"))
}
