//! A fault that is in force: dropping it takes it back, and what a killed command leaves is written down.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use xtask::command::say;

use super::undo::Undo;
use crate::cluster::running::Running;

/// A fault that struck.
#[must_use = "dropping it takes the fault back"]
#[derive(Debug)]
pub struct InForce<'a> {
    running: &'a Running,
    undo: Undo,
}

impl<'a> InForce<'a> {
    /// Writes down what will take the fault back that is about to strike.
    pub(super) fn begin(running: &'a Running, undo: Undo) -> anyhow::Result<Self> {
        if let (Some(path), true) = (written_down(running), undo != Undo::Nothing) {
            fs::write(&path, serde_json::to_vec(&undo)?)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(Self { running, undo })
    }

    /// Takes it back now.
    ///
    /// # Errors
    /// That doesn't work.
    pub fn undo(mut self) -> anyhow::Result<()> {
        self.take_back()
    }

    fn take_back(&mut self) -> anyhow::Result<()> {
        let undo = std::mem::replace(&mut self.undo, Undo::Nothing);
        if undo == Undo::Nothing {
            return Ok(());
        }
        undo.run(self.running)?;
        written_down(self.running).map_or(Ok(()), |path| forget(&path))
    }
}

impl Drop for InForce<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.take_back() {
            say(&format!("a fault can't be taken back: {error:#}"));
        }
    }
}

/// Takes back what an earlier command left, because it was killed.
///
/// # Errors
/// That doesn't work.
pub fn take_back(running: &Running) -> anyhow::Result<()> {
    let Some(path) = written_down(running).filter(|path| path.exists()) else { return Ok(()) };
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let undo: Undo =
        serde_json::from_slice(&text).with_context(|| format!("{} names no fault", path.display()))?;
    say(&format!("taking back what an earlier command left: {undo:?}"));
    // Once is enough: what it struck may be gone by now.
    forget(&path)?;
    undo.run(running)
}

/// Where it is written down; a cluster that isn't ours has no such place.
fn written_down(running: &Running) -> Option<PathBuf> {
    Some(running.records().ok()?.folder().join("fault.json"))
}

fn forget(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
