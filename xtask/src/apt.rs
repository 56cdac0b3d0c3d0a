//! Installing Debian's packages where that needs no question: as root, with apt-get.

use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::command::{output_of, run_within, say};

/// A compiler is about 150 MB: minutes on a slow line, but not for ever.
const LIMIT: Duration = Duration::from_secs(600);

/// Installs packages, or says why it can't. `what_for` completes "installing … for".
pub fn install(packages: &[&str], what_for: &str) -> Result<()> {
    if !is_root() {
        bail!("only root can install Debian's packages");
    }
    if Command::new("apt-get").arg("--version").stdout(Stdio::null()).status().is_err() {
        bail!("this system has no apt-get");
    }
    say(&format!("installing Debian's {} for {what_for}", packages.join(" ")));
    run_within(apt_get().args(["-qq", "update"]), LIMIT)?;
    run_within(apt_get().args(INSTALL).args(packages), LIMIT)
}

/// `--no-remove`: a package that clashes with what the user has is not worth the user's own.
const INSTALL: [&str; 5] = ["-qq", "-y", "--no-remove", "--no-install-recommends", "install"];

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").stderr(io::stderr());
    command
}

/// Whether this process may install packages.
pub fn is_root() -> bool {
    output_of(Command::new("id").arg("-u")).is_ok_and(|uid| uid == "0")
}
