//! What must happen before steadfaas can be built or run: a wasm target, the filter's module, a real Envoy.

use std::env;
use std::path::{Path, PathBuf};

mod apt;
pub mod command;
pub mod envoy;
pub mod module;
pub mod show;
pub mod supplies;
pub mod toolchain;
pub mod verify;

/// The folder with the workspace's `Cargo.toml`.
pub fn workspace_root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Where this workspace's build results go: `$CARGO_TARGET_DIR`, else `target`.
pub fn target_dir() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        // As cargo does: relative to where the user stands.
        Some(dir) => env::current_dir().unwrap_or_default().join(dir),
        None => workspace_root().join("target"),
    }
}
