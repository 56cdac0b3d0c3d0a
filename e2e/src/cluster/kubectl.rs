//! `kubectl`: of our cluster's own version and in the network of its control plane, or for a cluster of the user's.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use super::machine::Machine;

/// What pods are given to get ready or go, in seconds. It takes them some 3 (6 with a sidecar); but a kubelet may notice only
/// after a minute that an API server is back that was away, and an earlier trial's pods may have to be gone first.
pub const POD_SECONDS: u32 = 150;

/// How the cluster is spoken to.
#[derive(Debug, Clone)]
pub struct Kubectl {
    /// Whose network it is run in; none: where this program runs.
    control: Option<Machine>,
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    /// The one in the folder of Kubernetes' programs.
    #[must_use]
    pub fn new(control: &Machine, kubernetes: &Path, kubeconfig: &Path) -> Self {
        Self {
            control: Some(control.clone()),
            program: kubernetes.join("kubectl"),
            kubeconfig: kubeconfig.to_owned(),
        }
    }

    /// This one, run where this program runs.
    #[must_use]
    pub fn of_here(program: PathBuf, kubeconfig: PathBuf) -> Self {
        Self { control: None, program, kubeconfig }
    }

    /// Another program of its folder.
    #[must_use]
    pub fn sibling(&self, name: &str) -> PathBuf {
        self.program.with_file_name(name)
    }

    /// The command, for arguments to be added.
    #[must_use]
    pub fn command(&self) -> Command {
        let here = || Command::new(&self.program);
        let mut command =
            self.control.as_ref().map_or_else(here, |control| control.in_network(&self.program));
        command.arg("--kubeconfig").arg(&self.kubeconfig);
        command
    }

    /// What it says.
    ///
    /// # Errors
    /// It fails; the error has what it said.
    pub fn run(&self, args: &[&str]) -> anyhow::Result<String> {
        self.feed(args, b"")
    }

    /// Applies objects that are given as YAML or JSON. On the server's side: they may be larger than what an
    /// annotation of the client's would hold.
    ///
    /// # Errors
    /// One is refused.
    pub fn apply(&self, objects: &str) -> anyhow::Result<String> {
        let apply = ["apply", "--server-side", "--force-conflicts", "--field-manager=e2e", "-f", "-"];
        self.feed(&apply, objects.as_bytes())
    }

    /// Deletes such objects where they are there, without waiting for them to be gone.
    ///
    /// # Errors
    /// One can't be deleted.
    pub fn delete(&self, objects: &str) -> anyhow::Result<String> {
        self.feed(&["delete", "--ignore-not-found", "--wait=false", "-f", "-"], objects.as_bytes())
    }

    /// Waits until what `words` say holds, as `kubectl wait` does.
    ///
    /// # Errors
    /// It doesn't in this time.
    pub fn wait(&self, words: &[&str], seconds: u32) -> anyhow::Result<()> {
        let limit = format!("--timeout={seconds}s");
        let args: Vec<&str> = ["wait", &limit].into_iter().chain(words.iter().copied()).collect();
        self.run(&args).map(drop)
    }

    /// Waits until a Deployment's pods are ready that were asked for last.
    ///
    /// # Errors
    /// They aren't in [`POD_SECONDS`].
    pub fn wait_for_rollout(&self, namespace: &str, deployment: &str) -> anyhow::Result<()> {
        let (namespace, limit) = (format!("--namespace={namespace}"), format!("--timeout={POD_SECONDS}s"));
        self.run(&["rollout", "status", &format!("deployment/{deployment}"), &namespace, &limit]).map(drop)
    }

    /// What it says when it is given this to read.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn feed(&self, args: &[&str], input: &[u8]) -> anyhow::Result<String> {
        let what = || format!("kubectl {}", args.join(" "));
        let mut child = self
            .command()
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", what()))?;
        // Whoever doesn't read all of it says why, further down.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input));
        let output = child.wait_with_output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "`{}` failed: {}", what(), error.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
