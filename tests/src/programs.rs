//! The functions' programs.

use std::path::PathBuf;

use xtask::functions::Function;
use xtask::supplies::build;

/// A function's program: what its variable names, else the one beside this program, else a freshly built one.
///
/// # Errors
/// It can't be built.
pub fn find(function: Function) -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(function.variable()) {
        return Ok(path.into());
    }
    // Test programs are in `deps`, one below the others.
    let (this, name) = (std::env::current_exe()?, function.name());
    let beside = this.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|file| file.is_file());
    beside.map_or_else(|| build(name, name), Ok)
}
