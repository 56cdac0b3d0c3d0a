//! Taking a cluster away, whole or not: its processes, and with them namespaces and mounts; its cgroups; its folder.

use rustix::process::Signal;

use super::cgroup;
use super::folder::{Folder, boot};
use super::process::ProcessId;

/// Leaves nothing of it; whether there was something.
///
/// # Errors
/// Something doesn't go.
pub fn down(folder: &Folder) -> anyhow::Result<bool> {
    let _lock = folder.lock()?;
    remove(folder)
}

/// The same, for who has the folder's lock.
pub(super) fn remove(folder: &Folder) -> anyhow::Result<bool> {
    let record = folder.read()?;
    let existed = folder.path().exists();
    // Processes of before the machine's last start are gone, and their pids may be others' now.
    let this_boot = boot()?;
    let machines = record.filter(|record| record.boot == this_boot).map(|record| record.machines);
    let machines = machines.unwrap_or_default();
    let holders = machines.iter().map(|machine| machine.holder);
    let inside = holders.clone().filter_map(ProcessId::child);
    let programs = machines.iter().flat_map(|machine| &machine.programs).map(|program| program.process);
    let all: Vec<ProcessId> = holders.chain(inside).chain(programs).collect();
    // First the word to all, then the wait for each: they end side by side.
    all.iter().try_for_each(|process| process.signal(Signal::KILL))?;
    all.iter().try_for_each(|process| process.end())?;
    if existed {
        cgroup::remove_all(&folder.mark())?;
        folder.remove()?;
    }
    Ok(existed)
}
