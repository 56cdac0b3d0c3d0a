//! What must happen before steadfaas can be built or run: a wasm target, the filter's module, a real Envoy.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub mod apt;
pub mod cluster;
pub mod command;
pub mod envoy;
pub mod functions;
pub mod module;
pub mod pip;
pub mod redis;
pub mod show;
pub mod supplies;
pub mod toolchain;
pub mod verify;

pub use envoy::cache;

/// The folder with the workspace's `Cargo.toml`.
///
/// What cargo says at run time comes first: clones that share a target folder may share this program too, and it was
/// compiled in only one of them.
pub fn workspace_root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let compiled = Path::new(env!("CARGO_MANIFEST_DIR"));
        let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| compiled.into(), PathBuf::from);
        let is_root = |folder: &&Path| folder.join("xtask/Cargo.toml").is_file();
        package.ancestors().chain(compiled.ancestors()).find(is_root).unwrap_or(compiled).to_owned()
    })
}

/// Where this workspace's build results go: `$CARGO_TARGET_DIR`, else `target`.
pub fn target_dir() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        // As cargo does: relative to where the user stands.
        Some(dir) => env::current_dir().unwrap_or_default().join(dir),
        None => workspace_root().join("target"),
    }
}
