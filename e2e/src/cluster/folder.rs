//! The cluster's own folder: all that it writes, and what it has to know to be taken down.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use xtask::command::say;

use super::machine::Program;
use super::process::ProcessId;

/// Each node has these to itself, so that nothing of the cluster may lie there.
const TAKEN_BY_NODES: [&str; 3] = ["/var/lib", "/var/log", "/run"];

/// So much of a digest tells a machine's few clusters apart.
const MARK_BYTES: usize = 4;

/// What the cluster consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The machine's start to which the processes' starts relate: after another one, none of them runs.
    pub boot: String,
    /// Whether `up` came to its end.
    pub complete: bool,
    /// What was put on top of Kubernetes.
    pub with: Vec<String>,
    /// The control plane, the system node, the workers.
    pub machines: Vec<MachineRecord>,
}

impl Record {
    /// Whether all of it was made and every machine still runs.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let this_boot = boot().is_ok_and(|boot| boot == self.boot);
        self.complete && this_boot && self.machines.iter().all(|machine| machine.holder.is_alive())
    }
}

/// One of its machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineRecord {
    /// Its name.
    pub name: String,
    /// The process that ends all others in it when it ends.
    pub holder: ProcessId,
    /// The programs that it runs.
    pub programs: Vec<ProgramRecord>,
}

/// A program on a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramRecord {
    /// How it was started.
    pub program: Program,
    /// The process that entered the machine's namespaces; the program is its child.
    pub process: ProcessId,
}

/// Where all of it is.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// `$STEADFAAS_CLUSTER`, else `steadfaas/cluster` where the user's programs keep their state.
    ///
    /// # Errors
    /// There is no such place.
    pub fn of_user() -> anyhow::Result<Self> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let path = set("STEADFAAS_CLUSTER")
            .or_else(|| Some(set("XDG_STATE_HOME")?.join("steadfaas/cluster")))
            .or_else(|| Some(set("HOME")?.join(".local/state/steadfaas/cluster")))
            .context("no folder for the cluster: set $STEADFAAS_CLUSTER")?;
        Self::at(std::path::absolute(path)?)
    }

    fn at(path: PathBuf) -> anyhow::Result<Self> {
        let taken = TAKEN_BY_NODES.iter().find(|taken| path.starts_with(taken));
        if let Some(taken) = taken {
            anyhow::bail!(
                "the cluster can't be in {}: its nodes have a {taken} of their own",
                path.display()
            );
        }
        Ok(Self { path })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Something in it.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A name that no cluster in another folder has, for what lies elsewhere.
    #[must_use]
    pub fn mark(&self) -> String {
        let digest = Sha256::digest(self.path.as_os_str().as_encoded_bytes());
        let start: String = digest.iter().take(MARK_BYTES).map(|byte| format!("{byte:02x}")).collect();
        format!("steadfaas-e2e-{start}")
    }

    /// Waits until no other command makes or removes this cluster; none does until the answer is dropped.
    ///
    /// # Errors
    /// The lock can't be made.
    pub fn lock(&self) -> anyhow::Result<File> {
        let cache = xtask::cache()?;
        let path = cache.join(format!("{}.lock", self.mark()));
        fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        if file.try_lock().is_err() {
            say("another command makes or removes this cluster: waiting for it to end");
            file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        }
        Ok(file)
    }

    /// The administrator's way to the API server.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.join("kubeconfig")
    }

    /// What the cluster consists of; nothing where there is none.
    ///
    /// # Errors
    /// What is written there is not a cluster's record.
    pub fn read(&self) -> anyhow::Result<Option<Record>> {
        let path = self.join("cluster.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let record = serde_json::from_slice(&text);
        record.map(Some).with_context(|| format!("{} is no record of a cluster", path.display()))
    }

    /// Writes down what the cluster consists of, whole or not at all.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(&self, record: &Record) -> anyhow::Result<()> {
        let (path, beside) = (self.join("cluster.json"), self.join("cluster.json.new"));
        fs::create_dir_all(&self.path).with_context(|| format!("cannot make {}", self.path.display()))?;
        fs::write(&beside, serde_json::to_vec_pretty(record)?)
            .and_then(|()| fs::rename(&beside, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Removes all of it.
    ///
    /// # Errors
    /// Something can't be removed.
    pub fn remove(&self) -> anyhow::Result<()> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", self.path.display()));
            }
            _ => {}
        }
        // The folder above was made for it, unless there is something else in it.
        let _ = self.path.parent().map(fs::remove_dir);
        Ok(())
    }
}

/// The name of the machine's present run.
///
/// # Errors
/// It is no Linux.
pub fn boot() -> anyhow::Result<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").context("a cluster needs Linux")?;
    Ok(id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::at(outer.path().join("cluster")).unwrap();
        assert_eq!(folder.read().unwrap(), None);
        let holder = ProcessId::of(1).unwrap();
        let machine = MachineRecord { name: "control".to_owned(), holder, programs: Vec::new() };
        let record = Record { boot: boot().unwrap(), machines: vec![machine], ..Record::default() };
        folder.write(&record).unwrap();
        assert_eq!(folder.read().unwrap(), Some(record));
        folder.remove().unwrap();
        folder.remove().unwrap();
        assert!(!folder.path().exists());
    }

    #[test]
    fn a_cluster_is_whole_until_one_of_its_machines_ends() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let holder = ProcessId::of(child.id().try_into().unwrap()).unwrap();
        let machine = MachineRecord { name: "control".to_owned(), holder, programs: Vec::new() };
        let begun = Record { boot: boot().unwrap(), machines: vec![machine], ..Record::default() };
        let complete = Record { complete: true, ..begun.clone() };
        assert!(complete.is_whole() && !begun.is_whole());
        assert!(!Record { boot: "another".to_owned(), ..complete.clone() }.is_whole());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!complete.is_whole());
    }

    #[test]
    fn a_record_that_is_something_else_is_named() {
        let outer = tempfile::tempdir().unwrap();
        fs::write(outer.path().join("cluster.json"), "[]").unwrap();
        let error = Folder::at(outer.path().to_owned()).unwrap().read().unwrap_err().to_string();
        assert!(error.contains("cluster.json is no record of a cluster"), "{error}");
    }

    #[test]
    fn a_place_that_nodes_cover_is_refused() {
        let error = Folder::at("/var/lib/bed".into()).unwrap_err().to_string();
        assert_eq!(error, "the cluster can't be in /var/lib/bed: its nodes have a /var/lib of their own");
    }
}
