//! The Go programs of the cluster: each set is a module in `e2e/tools`, built once into the user's cache under the
//! hash of what it is made from.

mod build;
mod go;
mod sets;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use xtask::workspace_root;

pub use sets::{ALL, COREDNS, ETCD, ISTIO, KNATIVE, KUBERNETES, Set};

/// So much of the hash names a folder: enough that two never meet.
const HASH_LETTERS: usize = 16;

/// The folder with the programs of a set, which is built where it wasn't yet.
///
/// # Errors
/// There is no Go that can build it, or the build fails.
pub fn ensure(set: &Set) -> anyhow::Result<PathBuf> {
    let (module, folder) = places(set)?;
    if !folder.is_dir() {
        let go = go::ensure(&module).with_context(|| format!("{} can't be built", set.name))?;
        build::build(set, &module, &go, &folder).with_context(|| format!("{} can't be built", set.name))?;
    }
    Ok(folder)
}

/// Makes sure of what the sets are built with and from, where they aren't yet: Go, and its modules.
///
/// # Errors
/// Something can't be fetched: one line says what.
pub fn ensure_sources() -> anyhow::Result<()> {
    for set in ALL {
        let (module, folder) = places(set)?;
        if !folder.is_dir() {
            let go = go::ensure(&module)?;
            build::packages(set, &module, &go)
                .with_context(|| format!("the Go modules of {} can't be fetched", set.name))?;
        }
    }
    Ok(())
}

/// Where a set's module is, and where its programs go.
fn places(set: &Set) -> anyhow::Result<(PathBuf, PathBuf)> {
    let module = workspace_root().join("e2e/tools").join(set.name);
    let name = format!("{}-{}", set.name, hash(&module, set)?);
    Ok((module, xtask::cache()?.join("tools").join(name)))
}

/// What a set is made from: the module's files and how they are built.
fn hash(module: &Path, set: &Set) -> anyhow::Result<String> {
    let mut files: Vec<PathBuf> = fs::read_dir(module)
        .with_context(|| format!("cannot read {}", module.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.file_name().unwrap_or_default().as_encoded_bytes());
        hash.update(fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    hash.update(format!("{set:?}"));
    let mut text = format!("{:x}", hash.finalize());
    text.truncate(HASH_LETTERS);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_any_file_or_flag_is_another_hash() {
        let module = tempfile::tempdir().unwrap();
        fs::write(module.path().join("go.sum"), "a").unwrap();
        let first = hash(module.path(), &ETCD).unwrap();
        assert_eq!(first.len(), HASH_LETTERS);
        assert_eq!(hash(module.path(), &ETCD).unwrap(), first);
        assert_ne!(hash(module.path(), &COREDNS).unwrap(), first);
        fs::write(module.path().join("go.sum"), "b").unwrap();
        assert_ne!(hash(module.path(), &ETCD).unwrap(), first);
    }
}
