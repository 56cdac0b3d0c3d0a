//! A compiler for wasm32-unknown-unknown: rustup's target, else Debian's compiler that brings std's sources.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::apt;
use crate::command::{cargo, output_of, run_within, say};
use crate::{target_dir, workspace_root};

/// The target that Envoy's V8 runs without any WASI import.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The target is about 20 MB; a line that needs longer is as good as none.
const RUSTUP_LIMIT: Duration = Duration::from_secs(120);

const DEBIAN_FOLDER: &str = "filter-debian";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_STD: &str = "/usr/lib/rustlib/src/rust/library/Cargo.lock";
const DEBIAN_PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];

/// The first minor version that compiles this workspace (`rust-version` in Cargo.toml).
const OLDEST_MINOR: u32 = 95;

/// A way to compile for wasm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WasmCompiler {
    /// The active toolchain has the target.
    Installed,
    /// Debian's compiler builds std from its sources, linked by the active toolchain's `rust-lld`.
    Debian {
        /// That `rust-lld`: Debian's own is in a package that nothing else here needs.
        linker: PathBuf,
    },
}

impl WasmCompiler {
    /// Finds a way, installing what it takes; the error says in one line what to do.
    pub fn ensure() -> Result<Self> {
        let sysroot = sysroot()?;
        if has_target(&sysroot) {
            return Ok(Self::Installed);
        }
        // Where rustup failed before, it isn't waited for again.
        let by_debian_before = target_dir().join(DEBIAN_FOLDER).is_dir() && has_debian();
        if !by_debian_before && add_target(&sysroot) {
            return Ok(Self::Installed);
        }
        ensure_debian().with_context(|| {
            format!(
                "no compiler for {TARGET}: run `rustup target add {TARGET}`, \
                 or on Debian as root `apt-get install {}`",
                DEBIAN_PACKAGES.join(" ")
            )
        })?;
        Ok(Self::Debian { linker: linker(&sysroot)? })
    }

    /// Its folder's name below the target folder: two compilers can't share one.
    pub fn folder(&self) -> &'static str {
        match self {
            Self::Installed => "filter-build",
            Self::Debian { .. } => DEBIAN_FOLDER,
        }
    }

    /// `cargo build --target …` with this compiler. Flags meant for this machine's processor are left out.
    pub fn build(&self) -> Command {
        let mut command = cargo();
        command.args(["build", "--target", TARGET]);
        for host in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            command.env_remove(host);
        }
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", module_flags());
        if let Self::Debian { linker } = self {
            command
                .arg("-Zbuild-std=std,panic_abort")
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                // The outer cargo's points at the other compiler's libraries.
                .env_remove("LD_LIBRARY_PATH");
        }
        command
    }
}

/// Flags for the module alone: panic messages name files without this machine's folders, so that everybody builds
/// the same; and only small functions are inlined (60 makes the module 5 KB larger and no request shorter; 17 makes it
/// 2 KB smaller, and a request 700 instructions longer).
fn module_flags() -> String {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo"))).unwrap_or_default();
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    [
        remap(&home.join("registry/src"), "registry"),
        remap(workspace_root(), ""),
        "-Cllvm-args=-inline-threshold=40".to_owned(),
    ]
    .join(" ")
}

/// Where the active toolchain lives.
fn sysroot() -> Result<PathBuf> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.args(["--print", "sysroot"]).current_dir(workspace_root());
    Ok(output_of(&mut command).context("cannot find the Rust toolchain")?.into())
}

fn has_target(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib").join(TARGET).is_dir()
}

/// Lets rustup add the target where there is a rustup and its server can be reached.
fn add_target(sysroot: &Path) -> bool {
    say(&format!("adding {TARGET} with rustup"));
    let mut command = Command::new("rustup");
    command.args(["target", "add", TARGET]).current_dir(workspace_root());
    match run_within(&mut command, RUSTUP_LIMIT) {
        Ok(()) => has_target(sysroot),
        Err(error) => {
            say(&format!("not with rustup: {error}"));
            false
        }
    }
}

fn ensure_debian() -> Result<()> {
    if has_debian() {
        return Ok(());
    }
    apt::install(&DEBIAN_PACKAGES, TARGET)?;
    if !has_debian() {
        bail!("Debian's {DEBIAN_RUSTC} is older than 1.{OLDEST_MINOR}, or its sources are missing");
    }
    Ok(())
}

fn has_debian() -> bool {
    let version = output_of(Command::new(DEBIAN_RUSTC).arg("--version")).unwrap_or_default();
    Path::new(DEBIAN_STD).is_file() && minor(&version).is_some_and(|minor| minor >= OLDEST_MINOR)
}

/// The 96 of `rustc 1.96.0 (ac68faa20 2026-05-25)`.
fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("rustc 1.")?.split('.').next()?.parse().ok()
}

/// The `rust-lld` that every rustup toolchain brings for its own host.
fn linker(sysroot: &Path) -> Result<PathBuf> {
    let rustlib = sysroot.join("lib/rustlib");
    fs::read_dir(&rustlib)
        .with_context(|| format!("cannot read {}", rustlib.display()))?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin/rust-lld")))
        .find(|path| path.is_file())
        .with_context(|| format!("no rust-lld in {}: install the toolchain with rustup", rustlib.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compilers_version_is_read() {
        assert_eq!(minor("rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)"), Some(96));
        assert_eq!(minor("rustc 1.63.0"), Some(63));
        assert_eq!(minor(""), None);
        assert_eq!(minor("gcc 12"), None);
    }

    #[test]
    fn the_workspaces_oldest_compiler_is_the_one_of_its_manifest() {
        let manifest = fs::read_to_string(workspace_root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("rust-version = \"1.{OLDEST_MINOR}\"")));
    }

    #[test]
    fn debians_compiler_builds_std_and_the_installed_target_does_not() {
        let arguments = |compiler: WasmCompiler| {
            let command = compiler.build();
            command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(arguments(WasmCompiler::Installed), ["build", "--target", TARGET]);
        let debian = WasmCompiler::Debian { linker: "/lld".into() };
        assert_eq!(arguments(debian), ["build", "--target", TARGET, "-Zbuild-std=std,panic_abort"]);
    }
}
