//! The cgroups of a cluster: one a machine in each hierarchy, below one folder that `down` removes. `cluster` is that
//! folder's name, [`super::folder::Folder::mark`]: clusters in other folders have others.

mod group;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;

pub use group::{Group, Used};

/// The two parts of a machine's.
const PROGRAMS: &str = "programs";
const PODS: &str = "pods";

/// Where Linux has them.
const MOUNTED: &str = "/sys/fs/cgroup";

/// What a group must be told before processes may enter it, in the hierarchies of version 1.
const CPUSET: [&str; 2] = ["cpuset.cpus", "cpuset.mems"];

/// A killed process leaves its group a moment after it is gone from sight.
const REMOVE_PATIENCE: Duration = Duration::from_secs(5);

/// The path, within a hierarchy, below which a machine's pods are.
#[must_use]
pub fn of_pods(cluster: &str, machine: &str) -> String {
    format!("/{cluster}/{machine}/{PODS}")
}

/// Makes the groups of a machine's pods and of its own programs; the folders of the latter are returned.
///
/// # Errors
/// Cgroups are not mounted here, or not to be written.
pub fn make(cluster: &str, machine: &str) -> anyhow::Result<Vec<PathBuf>> {
    let hierarchies = hierarchies(Path::new(MOUNTED))?;
    anyhow::ensure!(!hierarchies.is_empty(), "no cgroups are mounted in {MOUNTED}");
    for hierarchy in &hierarchies {
        make_in(hierarchy, [cluster, machine, PODS])?;
    }
    hierarchies.into_iter().map(|hierarchy| make_in(&hierarchy, [cluster, machine, PROGRAMS])).collect()
}

/// Makes sure that groups can be made here.
///
/// # Errors
/// Cgroups are not mounted here, or not to be written.
pub fn ensure_writable() -> anyhow::Result<()> {
    let hierarchies = hierarchies(Path::new(MOUNTED))?;
    anyhow::ensure!(!hierarchies.is_empty(), "no cgroups are mounted in {MOUNTED}");
    for hierarchy in hierarchies {
        let probe = hierarchy.join(format!("steadfaas-e2e-probe-{}", std::process::id()));
        let made = fs::create_dir(&probe).and_then(|()| fs::remove_dir(&probe));
        made.with_context(|| format!("a cluster needs cgroups that can be made in {}", hierarchy.display()))?;
    }
    Ok(())
}

/// In version 2 a group hands its controllers on only when told to; in version 1 there is nothing to tell.
fn hand_on(group: &Path) -> anyhow::Result<()> {
    let Ok(controllers) = fs::read_to_string(group.join("cgroup.controllers")) else { return Ok(()) };
    let told: Vec<String> =
        controllers.split_whitespace().map(|controller| format!("+{controller}")).collect();
    fs::write(group.join("cgroup.subtree_control"), told.join(" "))
        .with_context(|| format!("the cgroup {} doesn't hand on its controllers", group.display()))
}

fn make_in(hierarchy: &Path, names: [&str; 3]) -> anyhow::Result<PathBuf> {
    let mut folder = hierarchy.to_owned();
    for name in names {
        let above = folder.clone();
        hand_on(&above)?;
        folder.push(name);
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the cgroup {}", folder.display()))?;
        for setting in CPUSET {
            if let Ok(value) = fs::read_to_string(above.join(setting)) {
                fs::write(folder.join(setting), value.trim())?;
            }
        }
    }
    Ok(folder)
}

/// The cluster's own folder in each hierarchy, where there is one.
#[must_use]
pub fn all(cluster: &str) -> Vec<PathBuf> {
    let hierarchies = hierarchies(Path::new(MOUNTED)).unwrap_or_default();
    hierarchies.into_iter().map(|hierarchy| hierarchy.join(cluster)).filter(|path| path.exists()).collect()
}

/// Where kubelets put pods below a machine's group for them, by how sure of their share they are.
const CLASSES: [&str; 3] = ["kubepods", "kubepods/burstable", "kubepods/besteffort"];

/// The groups of all pods of a machine that are there now, with their pods' uids.
#[must_use]
pub fn pods(cluster: &str, machine: &str) -> Vec<(String, Group)> {
    let classes = CLASSES.map(|class| format!("{cluster}/{machine}/{PODS}/{class}"));
    let uid = |(name, group): (String, Group)| Some((name.strip_prefix("pod")?.to_owned(), group));
    classes
        .iter()
        .filter_map(|class| Group::find(Path::new(MOUNTED), class))
        .flat_map(|class| class.below())
        .filter_map(uid)
        .collect()
}

/// The group of a whole machine.
#[must_use]
pub fn machine(cluster: &str, machine: &str) -> Option<Group> {
    Group::find(Path::new(MOUNTED), &format!("{cluster}/{machine}"))
}

/// Removes what there is of the cluster's groups, once nothing is in them any more.
///
/// # Errors
/// A process is still in one.
pub fn remove_all(cluster: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    for hierarchy in hierarchies(Path::new(MOUNTED)).unwrap_or_default() {
        let top = hierarchy.join(cluster);
        while let Err(error) = remove(&top) {
            let patient = began.elapsed() < REMOVE_PATIENCE;
            anyhow::ensure!(patient, "cannot remove the cgroup {}: {error}", top.display());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}

/// A group is a folder whose files can't be removed, but go with it.
fn remove(group: &Path) -> std::io::Result<()> {
    if !group.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(group)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        }
    }
    fs::remove_dir(group)
}

/// The folder itself in version 2, one below it for each controller in version 1.
fn hierarchies(mounted: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if mounted.join("cgroup.procs").exists() {
        return Ok(vec![mounted.to_owned()]);
    }
    let entries = fs::read_dir(mounted).with_context(|| format!("cannot read {}", mounted.display()))?;
    let folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
    // A link stands for two controllers in one hierarchy, which is there under its own name too.
    Ok(folders.filter(|path| !path.is_symlink() && path.join("cgroup.procs").exists()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_controller_of_version_1_is_a_hierarchy_and_its_other_names_are_not() {
        let mounted = tempfile::tempdir().unwrap();
        for controller in ["cpu,cpuacct", "memory"] {
            fs::create_dir(mounted.path().join(controller)).unwrap();
            fs::write(mounted.path().join(controller).join("cgroup.procs"), "").unwrap();
        }
        std::os::unix::fs::symlink("cpu,cpuacct", mounted.path().join("cpu")).unwrap();
        let mut found = hierarchies(mounted.path()).unwrap();
        found.sort();
        assert_eq!(found, [mounted.path().join("cpu,cpuacct"), mounted.path().join("memory")]);
    }

    #[test]
    fn version_2_is_one_hierarchy() {
        let mounted = tempfile::tempdir().unwrap();
        fs::write(mounted.path().join("cgroup.procs"), "").unwrap();
        assert_eq!(hierarchies(mounted.path()).unwrap(), [mounted.path()]);
    }

    #[test]
    fn groups_of_version_2_hand_on_their_controllers() {
        let mounted = tempfile::tempdir().unwrap();
        fs::write(mounted.path().join("cgroup.controllers"), "cpu memory\n").unwrap();
        make_in(mounted.path(), ["e2e", "worker1", PODS]).unwrap();
        assert_eq!(
            fs::read_to_string(mounted.path().join("cgroup.subtree_control")).unwrap(),
            "+cpu +memory"
        );
    }

    #[test]
    fn a_machine_inherits_the_processors_it_may_use() {
        let hierarchy = tempfile::tempdir().unwrap();
        fs::write(hierarchy.path().join("cpuset.cpus"), "0-1\n").unwrap();
        let made = make_in(hierarchy.path(), ["e2e", "worker1", PROGRAMS]).unwrap();
        assert_eq!(fs::read_to_string(made.join("cpuset.cpus")).unwrap(), "0-1");
        assert!(made.ends_with("e2e/worker1/programs"));
    }
}
