//! The cluster that runs, as other commands find it.

use super::control;
use super::folder::Folder;
use super::kubectl::Kubectl;
use super::machine::Machine;
use super::record::Records;
use super::tools::{self, KUBERNETES};

/// A cluster that is up.
#[derive(Debug)]
pub struct Running {
    records: Records,
    kubectl: Kubectl,
}

impl Running {
    /// The one that is up.
    ///
    /// # Errors
    /// None is.
    pub fn find() -> anyhow::Result<Self> {
        let records = Records::of_running(Folder::of_user()?)?;
        let control = Machine::find(control::NAME, &records)?;
        let kubectl = Kubectl::new(&control, &tools::ensure(&KUBERNETES)?, &records.folder().kubeconfig());
        Ok(Self { records, kubectl })
    }

    /// What it consists of.
    ///
    /// # Errors
    /// It isn't ours.
    pub fn records(&self) -> anyhow::Result<&Records> {
        Ok(&self.records)
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
