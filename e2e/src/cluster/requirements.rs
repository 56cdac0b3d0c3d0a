//! What a machine must have for a cluster: Linux, root, and some packages, which are installed where that can be.

use std::path::Path;

use anyhow::Context as _;
use steadfaas_tests::process::in_path;
use xtask::apt;

use super::cgroup;

/// How it is told that a package is there.
#[derive(Debug, Clone, Copy)]
enum Sign {
    /// A command of it.
    Command(&'static str),
    /// A file of it.
    File(&'static str),
}

/// Debian's packages that are needed; other systems have them under similar names.
const PACKAGES: [(&str, Sign); 8] = [
    ("containerd", Sign::Command("containerd")),
    ("runc", Sign::Command("runc")),
    ("containernetworking-plugins", Sign::File("/usr/lib/cni/bridge")),
    ("nftables", Sign::Command("nft")),
    ("iptables", Sign::Command("iptables")),
    ("iproute2", Sign::Command("ip")),
    ("util-linux", Sign::Command("nsenter")),
    ("procps", Sign::Command("sysctl")),
];

/// Makes sure that this may be done at all.
///
/// # Errors
/// It is no Linux, or who asks isn't root: one line says which.
pub fn ensure_rights() -> anyhow::Result<()> {
    anyhow::ensure!(cfg!(target_os = "linux"), "a cluster needs Linux: its nodes are network namespaces");
    anyhow::ensure!(apt::is_root(), "a cluster needs root: for namespaces, mounts and containers");
    Ok(())
}

/// Makes sure of all of it.
///
/// # Errors
/// Something is missing and can't be installed: one line says what.
pub fn ensure() -> anyhow::Result<()> {
    ensure_rights()?;
    cgroup::ensure_writable()?;
    let missing: Vec<&str> =
        PACKAGES.iter().filter(|(_, sign)| !is_there(*sign)).map(|(package, _)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let hint = format!("a cluster needs what Debian has as {}", missing.join(", "));
    apt::install(&missing, "the cluster").context(hint)
}

fn is_there(sign: Sign) -> bool {
    match sign {
        Sign::Command(name) => in_path(name),
        Sign::File(path) => Path::new(path).is_file(),
    }
}
