//! Puts the filter's module where `src/filter.rs` includes it from.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Names the module to take; `cargo xtask` and packagers set it.
const MODULE_VARIABLE: &str = "STEADFAAS_FILTER_WASM";

/// Where `cargo xtask filter` puts the module, within the target folder.
const MODULE_IN_TARGET: &str = "filter/steadfaas_filter.wasm";

fn main() {
    println!("cargo::rerun-if-env-changed={MODULE_VARIABLE}");
    if let Err(reason) = copy_module() {
        println!("cargo::error={reason}");
    }
}

fn copy_module() -> Result<(), String> {
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: build with cargo")?);
    let module =
        find_module(&out_dir).ok_or("the filter's module is missing: run `cargo xtask filter` first")?;
    println!("cargo::rerun-if-changed={}", module.display());
    fs::copy(&module, out_dir.join("filter.wasm"))
        .map(|_size| ())
        .map_err(|error| format!("the filter's module can't be copied from {}: {error}", module.display()))
}

/// `OUT_DIR` lies a few levels below the target folder, how many depends on `--target` and profile.
fn find_module(out_dir: &Path) -> Option<PathBuf> {
    match env::var_os(MODULE_VARIABLE) {
        Some(named) => Some(PathBuf::from(named)).filter(|path| path.is_file()),
        None => out_dir.ancestors().map(|folder| folder.join(MODULE_IN_TARGET)).find(|path| path.is_file()),
    }
}
