//! The filter's module: builds it, checks its size, puts it where the installer and the tests look for it.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{run, say};
use crate::supplies::Supply;
use crate::target_dir;
use crate::toolchain::{TARGET, WasmCompiler};

/// The largest module, in bytes. It travels inline, as base64 (4/3), in one `kubectl apply`, whose
/// annotation holds at most 262,144 bytes: 190,000 leave 8,800 for the objects around it.
pub const SIZE_LIMIT: u64 = 190_000;

/// What cargo calls the module.
const BUILT: &str = "steadfaas_filter.wasm";

/// The two builds of the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Build {
    /// What users get.
    Shipped,
    /// With `panic-on-request`: for the test of the VM's reload.
    Panicking,
}

impl Build {
    fn file(self) -> &'static str {
        match self {
            Self::Shipped => BUILT,
            Self::Panicking => "steadfaas_filter_panics.wasm",
        }
    }

    /// Its folder within the compiler's. One for each: a cdylib's name has no hash, so in a common one
    /// the two would replace each other, and every change of build would compile again.
    fn folder(self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::Panicking => "panicking",
        }
    }

    fn features(self) -> &'static [&'static str] {
        match self {
            Self::Shipped => &[],
            Self::Panicking => &["--features", "panic-on-request"],
        }
    }
}

/// Builds the module that is shipped. One that is too large is a module still: see [`check_size`].
pub fn build_filter() -> Result<PathBuf> {
    build(Build::Shipped)
}

/// Builds the module that is shipped where there is none yet: what includes one can't be built without.
pub fn ensure_filter() -> Result<()> {
    if env::var_os(Supply::Module.variable()).is_some() || path_of(Build::Shipped).is_file() {
        return Ok(());
    }
    build_filter().map(drop)
}

/// Builds the module that panics when a request asks for it. It is never shipped, so its size is free.
pub fn build_panicking_filter() -> Result<PathBuf> {
    build(Build::Panicking)
}

/// A module's size in bytes; an error if it outgrew [`SIZE_LIMIT`].
pub fn check_size(module: &Path) -> Result<u64> {
    let about = fs::metadata(module).with_context(|| format!("cannot read {}", module.display()))?;
    let size = about.len();
    if size > SIZE_LIMIT {
        bail!(
            "{} has {size} bytes, {} over the limit of {SIZE_LIMIT}: more doesn't fit inline in one `kubectl apply`",
            module.display(),
            size - SIZE_LIMIT
        );
    }
    Ok(size)
}

fn build(build: Build) -> Result<PathBuf> {
    let compiler = WasmCompiler::ensure()?;
    let folder = target_dir().join(compiler.folder()).join(build.folder());
    say(&format!("building {}", build.file()));
    run(compiler
        .build()
        .args(["--package", "steadfaas-filter", "--profile", "filter"])
        .args(build.features())
        .args([OsStr::new("--target-dir"), folder.as_os_str()]))?;
    let built = folder.join(TARGET).join("filter").join(BUILT);
    let module = path_of(build);
    put(&built, &module).with_context(|| format!("cannot write {}", module.display()))?;
    Ok(module)
}

/// Where the installer's build looks for it.
fn path_of(build: Build) -> PathBuf {
    target_dir().join("filter").join(build.file())
}

/// Copies a file in one step, and only where it says something new: an untouched module spares everything
/// that includes it from being compiled again.
fn put(from: &Path, to: &Path) -> Result<()> {
    let new = fs::read(from)?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = to.with_extension(format!("wasm.{}", std::process::id()));
    fs::write(&beside, new)?;
    fs::rename(&beside, to)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of that many bytes in a folder of its own.
    fn file_of(size: u64, name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-module-{}", std::process::id())).join(name);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(BUILT);
        fs::File::create(&path).unwrap().set_len(size).unwrap();
        path
    }

    #[test]
    fn a_module_at_the_limit_fits() {
        assert_eq!(check_size(&file_of(SIZE_LIMIT, "fits")).unwrap(), SIZE_LIMIT);
    }

    #[test]
    fn a_module_over_the_limit_is_refused_naming_size_and_limit() {
        let error = check_size(&file_of(SIZE_LIMIT + 7, "over")).unwrap_err().to_string();
        assert!(error.contains("has 190007 bytes, 7 over the limit of 190000"), "{error}");
    }

    #[test]
    fn the_limit_as_base64_fits_in_the_annotation_of_an_apply() {
        assert!(SIZE_LIMIT.div_ceil(3) * 4 < 262_144);
    }

    #[test]
    fn an_unchanged_module_is_not_touched() {
        let (from, to) = (file_of(3, "from"), file_of(3, "to"));
        let before = fs::metadata(&to).unwrap().modified().unwrap();
        put(&from, &to).unwrap();
        assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), before);
        fs::write(&from, b"new").unwrap();
        put(&from, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"new");
    }
}
