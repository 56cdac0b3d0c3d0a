//! What a cluster could leave behind: looked for before and after, so that `cargo cluster cycle` can say that it is gone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

use super::cgroup;
use super::folder::Folder;

/// Programs of the cluster are started from, or told of, one of these places.
#[derive(Debug)]
pub struct Traces<'a> {
    folder: &'a Folder,
    marks: Vec<String>,
}

impl<'a> Traces<'a> {
    /// Those of a cluster in this folder.
    ///
    /// # Errors
    /// There is no cache that it could have its programs from.
    pub fn of(folder: &'a Folder) -> anyhow::Result<Self> {
        let tools = xtask::cache()?.join("tools");
        let marks = [folder.path(), &tools].map(|path| path.to_string_lossy().into_owned());
        Ok(Self { folder, marks: marks.into() })
    }

    /// Everything that there is, by name: processes, mounts and cgroups that have to do with the cluster, network namespaces
    /// with a name, the folder.
    ///
    /// # Errors
    /// The system doesn't say.
    pub fn find(&self) -> anyhow::Result<BTreeSet<String>> {
        let mut found: BTreeSet<String> =
            cgroup::all(&self.folder.mark()).into_iter().map(|path| shown("cgroup", &path)).collect();
        found.extend(self.processes()?);
        let mounts = fs::read_to_string("/proc/self/mounts").context("cannot read /proc/self/mounts")?;
        found.extend(mounts.lines().filter_map(|line| Some(format!("mount {}", line.split(' ').nth(1)?))));
        // The folder is only there where something has used it.
        let named = fs::read_dir("/run/netns").into_iter().flatten().flatten();
        found.extend(named.map(|entry| shown("network namespace", &entry.path())));
        if self.folder.path().exists() {
            found.insert(shown("folder", self.folder.path()));
        }
        Ok(found)
    }

    fn processes(&self) -> anyhow::Result<Vec<String>> {
        let own = std::process::id().to_string();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").context("cannot read /proc")?.flatten() {
            let pid = entry.file_name().to_string_lossy().into_owned();
            // What has ended meanwhile has no command line any more, and what is no process never had one.
            let Ok(line) = fs::read(entry.path().join("cmdline")) else { continue };
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let is_held = line.contains("pause --when-told");
            if pid != own && (is_held || self.marks.iter().any(|mark| line.contains(mark))) {
                found.push(format!("process {pid} {line}"));
            }
        }
        Ok(found)
    }
}

/// Bytes in use on the disk that has this folder, or would have it.
///
/// # Errors
/// The system doesn't say.
pub fn disk_used(folder: &Path) -> anyhow::Result<u64> {
    let there = folder.ancestors().find(|path| path.exists()).context("there is no root folder")?;
    let disk = rustix::fs::statvfs(there).with_context(|| format!("cannot look at {}", there.display()))?;
    Ok(disk.f_blocks.saturating_sub(disk.f_bfree).saturating_mul(disk.f_frsize))
}

fn shown(kind: &str, path: &Path) -> String {
    format!("{kind} {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_of_which_something_is_used_says_so_for_folders_to_come_too() {
        assert!(disk_used(Path::new("/nowhere/at/all")).unwrap() > 0);
    }
}
