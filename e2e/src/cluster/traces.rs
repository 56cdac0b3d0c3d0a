//! What a cluster could leave behind: looked for before and after, so that `cargo cluster cycle` can say that it is gone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

use super::cgroup;
use super::folder::Folder;

/// Processes of the cluster are told of its folder or its mark, or are in its cgroups. Those of a cluster in another folder
/// aren't.
#[derive(Debug)]
pub struct Traces<'a> {
    folder: &'a Folder,
}

impl<'a> Traces<'a> {
    /// Those of a cluster in this folder.
    #[must_use]
    pub fn of(folder: &'a Folder) -> Self {
        Self { folder }
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
        let marks = [self.folder.path().to_string_lossy().into_owned(), self.folder.mark()];
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").context("cannot read /proc")?.flatten() {
            let pid = entry.file_name().to_string_lossy().into_owned();
            // What has ended meanwhile can't be read any more, and what is no process never could.
            let [Ok(line), Ok(groups)] = ["cmdline", "cgroup"].map(|name| fs::read(entry.path().join(name)))
            else {
                continue;
            };
            let [line, groups] = [line, groups].map(|text| String::from_utf8_lossy(&text).replace('\0', " "));
            // One that has ended has no command line: it only waits for its parent to take note.
            let has_ended = line.trim().is_empty();
            if pid != own
                && !has_ended
                && marks.iter().any(|mark| line.contains(mark) || groups.contains(mark))
            {
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
