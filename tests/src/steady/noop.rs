//! The stock filter's module, built as steadfaas' own is.

use std::ffi::OsStr;
use std::path::PathBuf;

use anyhow::Context;
use xtask::command::run;
use xtask::toolchain::{TARGET, WasmCompiler};

/// The module: `$STEADFAAS_NOOP_WASM`, else a freshly built one.
pub(super) fn module() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("STEADFAAS_NOOP_WASM") {
        return Ok(path.into());
    }
    let compiler = WasmCompiler::ensure()?;
    let folder = xtask::target_dir().join(compiler.folder()).join("noop");
    let mut build = compiler.build();
    build.args(["--package", "noop-filter", "--profile", "filter"]);
    run(build.args([OsStr::new("--target-dir"), folder.as_os_str()]))
        .context("the stock filter can't be built")?;
    Ok(folder.join(TARGET).join("filter").join("noop_filter.wasm"))
}
