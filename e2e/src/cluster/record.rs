//! The record of the cluster while it is made: several threads add to it, and each addition is written at once.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;

use super::folder::{Folder, MachineRecord, ProgramRecord, Record, boot};
use super::machine::Program;
use super::process::ProcessId;

/// The record and its place.
#[derive(Debug)]
pub struct Records {
    folder: Folder,
    record: Mutex<Record>,
}

impl Records {
    /// The record of a cluster that is about to be made.
    ///
    /// # Errors
    /// It can't be written.
    pub fn begin(folder: Folder) -> anyhow::Result<Self> {
        let record = Record { boot: boot()?, ..Record::default() };
        folder.write(&record)?;
        Ok(Self { folder, record: Mutex::new(record) })
    }

    /// The record of the cluster that runs.
    ///
    /// # Errors
    /// None does.
    pub fn of_running(folder: Folder) -> anyhow::Result<Self> {
        let record = folder.read()?.filter(|record| record.complete);
        let record = record.context("no cluster is up: `cargo cluster up` makes one")?;
        Ok(Self { folder, record: Mutex::new(record) })
    }

    /// Where the cluster's files are.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What is written down by now.
    #[must_use]
    pub fn read(&self) -> Record {
        self.lock().clone()
    }

    /// The path of something in the folder, as text for a program's arguments.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        let path: PathBuf = self.folder.join(name);
        path.to_string_lossy().into_owned()
    }

    /// Adds a machine.
    ///
    /// # Errors
    /// It can't be written.
    pub fn add_machine(&self, name: &str, holder: ProcessId) -> anyhow::Result<()> {
        let machine = MachineRecord { name: name.to_owned(), holder, programs: Vec::new() };
        self.change(|record| record.machines.push(machine))
    }

    /// Adds a program to a machine, in the place of an earlier one of its name.
    ///
    /// # Errors
    /// It can't be written.
    pub fn add_program(&self, machine: &str, program: &Program, process: ProcessId) -> anyhow::Result<()> {
        let added = ProgramRecord { program: program.clone(), process };
        self.change(|record| {
            for machine in record.machines.iter_mut().filter(|known| known.name == machine) {
                machine.programs.retain(|known| known.program.name() != program.name());
                machine.programs.push(added.clone());
            }
        })
    }

    /// A program of a machine, whether it runs or not.
    #[must_use]
    pub fn program(&self, machine: &str, name: &str) -> Option<ProgramRecord> {
        let record = self.lock();
        let machine = record.machines.iter().find(|known| known.name == machine)?;
        machine.programs.iter().find(|known| known.program.name() == name).cloned()
    }

    /// Whether a program of a machine runs.
    #[must_use]
    pub fn runs(&self, machine: &str, program: &str) -> bool {
        self.program(machine, program).is_some_and(|program| program.process.is_alive())
    }

    /// Where the logs of those programs are that have ended by themselves.
    #[must_use]
    pub fn logs_of_ended(&self) -> Vec<PathBuf> {
        let record = self.lock();
        let of_machine = |machine: &MachineRecord| {
            let ended = machine.programs.iter().filter(|known| !known.process.is_alive());
            let log = |known: &ProgramRecord| format!("{}/log/{}.log", machine.name, known.program.name());
            ended.map(|known| self.folder.join(&log(known))).collect::<Vec<_>>()
        };
        record.machines.iter().flat_map(of_machine).collect()
    }

    /// Adds something that was put on top of Kubernetes.
    ///
    /// # Errors
    /// It can't be written.
    pub fn add_layer(&self, layer: &str) -> anyhow::Result<()> {
        self.change(|record| record.with.push(layer.to_owned()))
    }

    /// Says that the cluster is whole.
    ///
    /// # Errors
    /// It can't be written.
    pub fn complete(&self) -> anyhow::Result<()> {
        self.change(|record| record.complete = true)
    }

    fn change(&self, change: impl FnOnce(&mut Record)) -> anyhow::Result<()> {
        let mut record = self.lock();
        change(&mut record);
        self.folder.write(&record)
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        // Each change is one assignment or push: a thread that panicked left nothing half done.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
