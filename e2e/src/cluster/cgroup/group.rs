//! One cgroup, and what its processes use: processor time and memory, in version 1 and in version 2.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The hierarchies of version 1 that count processor time and memory.
const CPU: &str = "cpuacct";
const MEMORY: &str = "memory";

/// A group, in the two hierarchies that count; in version 2 they are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    cpu: PathBuf,
    memory: PathBuf,
}

/// What a group has used by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// Processor time since the group was made.
    pub cpu: Duration,
    /// Memory in bytes, without what the kernel would take away first: as kubelets count it.
    pub memory: u64,
}

impl Group {
    /// The group of this path within each hierarchy.
    pub(super) fn find(mounted: &Path, path: &str) -> Option<Self> {
        let single = Self { cpu: mounted.join(path), memory: mounted.join(path) };
        let split = Self { cpu: mounted.join(CPU).join(path), memory: mounted.join(MEMORY).join(path) };
        [single, split].into_iter().find(|group| group.cpu.is_dir() && group.memory.is_dir())
    }

    /// The groups directly below it, by name.
    #[must_use]
    pub fn below(&self) -> Vec<(String, Self)> {
        let entries = fs::read_dir(&self.cpu).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
        names
            .map(|name| (name.clone(), Self { cpu: self.cpu.join(&name), memory: self.memory.join(&name) }))
            .collect()
    }

    /// A process in it, or in one directly below it.
    #[must_use]
    pub fn process(&self) -> Option<i32> {
        let groups = std::iter::once(self.clone()).chain(self.below().into_iter().map(|(_, group)| group));
        groups
            .filter_map(|group| fs::read_to_string(group.cpu.join("cgroup.procs")).ok())
            .find_map(|text| text.lines().next()?.parse().ok())
    }

    /// What it has used; nothing once it is gone.
    #[must_use]
    pub fn used(&self) -> Option<Used> {
        let cpu = match number(&self.cpu.join("cpuacct.usage")) {
            Some(nanoseconds) => Duration::from_nanos(nanoseconds),
            None => Duration::from_micros(field(&self.cpu.join("cpu.stat"), "usage_usec")?),
        };
        let all = number(&self.memory.join("memory.usage_in_bytes"));
        let all = all.or_else(|| number(&self.memory.join("memory.current")))?;
        let statistics = self.memory.join("memory.stat");
        let reclaimable =
            field(&statistics, "total_inactive_file").or_else(|| field(&statistics, "inactive_file"));
        Some(Used { cpu, memory: all.saturating_sub(reclaimable.unwrap_or(0)) })
    }
}

fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// The number after this name in a file of names and numbers.
fn field(file: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let number = |line: &str| line.split_once(' ').filter(|(known, _)| *known == name)?.1.trim().parse().ok();
    text.lines().find_map(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, files: &[(&str, &str)]) {
        fs::create_dir_all(folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
    }

    #[test]
    fn version_1_counts_in_two_hierarchies() {
        let mounted = tempfile::tempdir().unwrap();
        write(
            &mounted.path().join("cpuacct/a/pod1"),
            &[("cpuacct.usage", "2000000\n"), ("cgroup.procs", "7\n8\n")],
        );
        let memory = "cache 9\ninactive_file 1\ntotal_inactive_file 300\n";
        write(
            &mounted.path().join("memory/a/pod1"),
            &[("memory.usage_in_bytes", "1000\n"), ("memory.stat", memory)],
        );
        let above = Group::find(mounted.path(), "a").unwrap();
        let below = above.below();
        let [(name, group)] = below.as_slice() else { panic!("{:?}", above.below()) };
        assert_eq!(name, "pod1");
        assert_eq!(group.used(), Some(Used { cpu: Duration::from_millis(2), memory: 700 }));
        assert_eq!((group.process(), above.process()), (Some(7), Some(7)));
    }

    #[test]
    fn version_2_counts_in_one() {
        let mounted = tempfile::tempdir().unwrap();
        let files = [
            ("cpu.stat", "usage_usec 2000\nuser_usec 1\n"),
            ("memory.current", "1000\n"),
            ("memory.stat", "inactive_file 300\n"),
        ];
        write(&mounted.path().join("a"), &files);
        let group = Group::find(mounted.path(), "a").unwrap();
        assert_eq!(group.used(), Some(Used { cpu: Duration::from_millis(2), memory: 700 }));
        assert_eq!(Group::find(mounted.path(), "b"), None);
    }
}
