//! The module under test, compiled once for all tests.

use std::path::PathBuf;
use std::sync::OnceLock;

use wasmi::{Engine, Module};

/// The module, as `cargo xtask filter` built it.
pub(crate) fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| {
        let path = path();
        let bytes = std::fs::read(&path).unwrap_or_else(|error| {
            panic!("the filter's module {} ({error}): run `cargo xtask filter` first", path.display())
        });
        Module::new(&Engine::default(), bytes).unwrap()
    })
}

fn path() -> PathBuf {
    match std::env::var_os("STEADFAAS_FILTER_WASM") {
        Some(path) => path.into(),
        None => xtask::target_dir().join("filter/steadfaas_filter.wasm"),
    }
}
