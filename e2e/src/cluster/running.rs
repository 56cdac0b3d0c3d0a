//! The cluster that runs, as other commands find it.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use steadfaas_tests::process::in_path;

use super::control;
use super::folder::Folder;
use super::kubectl::Kubectl;
use super::machine::Machine;
use super::record::Records;
use super::tools::{self, KUBERNETES};

/// A cluster that is up.
#[derive(Debug)]
pub struct Running {
    whose: Whose,
    kubectl: Kubectl,
}

#[derive(Debug)]
enum Whose {
    Ours(Records),
    Theirs(Theirs),
}

/// What can't be known of a cluster of the user's own.
#[derive(Debug, Clone, Default)]
pub struct Theirs {
    /// Where its ingress gateway is reached from here; none: where its Service says.
    pub gateway: Option<SocketAddr>,
    /// What its nodes find the sample function's image under; none: as on ours.
    pub image: Option<String>,
}

impl Running {
    /// The one that `up` made.
    ///
    /// # Errors
    /// None is up.
    pub fn find() -> anyhow::Result<Self> {
        let records = Records::of_running(Folder::of_user()?)?;
        let control = Machine::find(control::NAME, &records)?;
        let kubectl = Kubectl::new(&control, &tools::ensure(&KUBERNETES)?, &records.folder().kubeconfig());
        Ok(Self { whose: Whose::Ours(records), kubectl })
    }

    /// One of the user's own: its nodes can't be touched. It is spoken to by the kubectl in PATH, else by the one that is
    /// built for ours.
    ///
    /// # Errors
    /// There is no kubectl, or it doesn't answer.
    pub fn of_user(kubeconfig: &Path, theirs: Theirs) -> anyhow::Result<Self> {
        let program =
            if in_path("kubectl") { "kubectl".into() } else { tools::ensure(&KUBERNETES)?.join("kubectl") };
        let kubectl = Kubectl::of_here(program, kubeconfig.to_owned());
        let answers = kubectl.run(&["get", "--raw", "/readyz"]);
        answers.with_context(|| format!("the cluster of {} doesn't answer", kubeconfig.display()))?;
        Ok(Self { whose: Whose::Theirs(theirs), kubectl })
    }

    /// What it consists of.
    ///
    /// # Errors
    /// It isn't ours.
    pub fn records(&self) -> anyhow::Result<&Records> {
        match &self.whose {
            Whose::Ours(records) => Ok(records),
            Whose::Theirs(_) => anyhow::bail!("the nodes of this cluster aren't ours to touch"),
        }
    }

    /// What the user said of it, where it is their own.
    #[must_use]
    pub fn theirs(&self) -> Option<&Theirs> {
        match &self.whose {
            Whose::Ours(_) => None,
            Whose::Theirs(theirs) => Some(theirs),
        }
    }

    /// How it is spoken to.
    #[must_use]
    pub fn kubectl(&self) -> &Kubectl {
        &self.kubectl
    }

    /// One of its machines.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn machine(&self, name: &str) -> anyhow::Result<Machine> {
        Machine::find(name, self.records()?)
    }

    /// All of them.
    ///
    /// # Errors
    /// One has ended.
    pub fn machines(&self) -> anyhow::Result<Vec<Machine>> {
        let record = self.records()?.read();
        record.machines.iter().map(|machine| self.machine(&machine.name)).collect()
    }
}
