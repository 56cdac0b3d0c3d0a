//! The parts that are test programs in `tests/tests` and `e2e`: on real Envoys, but for the simulated host.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::count_tests;
use crate::apt;
use crate::command::{cargo, output_of, run};
use crate::supplies::{Supplies, Supply, released};
use crate::verify::part::Outcome;
use crate::verify::tests_of::package;
use crate::workspace_root;

/// What the tests on real Envoys take.
const ENVOY_TESTS: [Supply; 5] =
    [Supply::NewestEnvoy, Supply::OldestEnvoy, Supply::Module, Supply::PanickingModule, Supply::Fib];

/// What the names of the tests on the oldest Envoy end with.
const FOR_THE_OLDEST: &str = "on_the_oldest_envoy";

/// They measure: one at a time, or they measure each other.
const ONE_BY_ONE: [&str; 2] = ["--", "--test-threads=1"];

pub(super) fn simulated_host(supplies: &Supplies) -> Result<Outcome> {
    let mut command = programs(Kind::SimulatedHost)?;
    count_tests(supplies.hand(&[Supply::Module, Supply::PanickingModule], &mut command)?)
}

pub(super) fn oldest(supplies: &Supplies) -> Result<Outcome> {
    let mut command = programs(Kind::Envoy)?;
    command.args(ONE_BY_ONE).arg(FOR_THE_OLDEST);
    count_tests(supplies.hand(&ENVOY_TESTS, &mut command)?)
}

pub(super) fn matrix(supplies: &Supplies) -> Result<Outcome> {
    let mut command = programs(Kind::Envoy)?;
    command.args(ONE_BY_ONE).args(["--skip", FOR_THE_OLDEST]);
    count_tests(supplies.hand(&ENVOY_TESTS, &mut command)?)
}

pub(super) fn lost_node(supplies: &Supplies) -> Result<Outcome> {
    if let Err(why) = ensure_namespaces() {
        return Ok(Outcome::NotRun(format!("{why:#}")));
    }
    let mut command = programs(Kind::Namespaces)?;
    count_tests(supplies.hand(&ENVOY_TESTS, command.args(ONE_BY_ONE))?)
}

pub(super) fn e2e(supplies: &Supplies) -> Result<Outcome> {
    if let Err(why) = ensure_namespaces() {
        return Ok(Outcome::NotRun(format!("{why:#}")));
    }
    let mut command = package("steadfaas-e2e");
    command.arg("--release").args(ONE_BY_ONE).env("STEADFAAS_BIN", steadfaas(supplies)?);
    count_tests(supplies.hand(&ENVOY_TESTS, &mut command)?)
}

/// The program that is shipped, with the module in it that this run has built.
pub(super) fn steadfaas(supplies: &Supplies) -> Result<PathBuf> {
    let mut build = cargo();
    build.args(["build", "--release", "--package", "steadfaas", "--bin", "steadfaas"]);
    run(supplies.hand(&[Supply::Module], &mut build)?)?;
    Ok(released("steadfaas"))
}

/// Makes sure of what network namespaces take, or says what is missing.
fn ensure_namespaces() -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "network namespaces need Linux");
    let works = |program: &str| output_of(Command::new(program).arg("-V")).is_ok();
    if !(works("ip") && works("unshare")) {
        apt::install(&["iproute2", "util-linux"], "network namespaces")
            .context("network namespaces need `ip` and `unshare`")?;
    }
    // Who isn't root may have them within a user namespace, where the system allows that.
    let as_root: &[&str] = if apt::is_root() { &[] } else { &["--user", "--map-root-user"] };
    output_of(Command::new("unshare").args(as_root).args(["--net", "true"]))
        .context("network namespaces need root")?;
    Ok(())
}

/// What a test program in `tests/tests` runs on; its name says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    SimulatedHost,
    Namespaces,
    Envoy,
}

impl Kind {
    fn of(program: &str) -> Self {
        match program {
            _ if program.starts_with("simulated_host") => Self::SimulatedHost,
            _ if program.starts_with("lost_node") => Self::Namespaces,
            _ => Self::Envoy,
        }
    }
}

/// `cargo test` of all test programs of a kind. They are looked for: a new file is in by itself.
fn programs(kind: Kind) -> Result<Command> {
    let folder = workspace_root().join("tests/tests");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let files = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> =
        files.filter_map(|file| Some(file.strip_suffix(".rs")?.to_owned())).collect();
    names.retain(|name| Kind::of(name) == kind);
    names.sort_unstable();
    ensure!(!names.is_empty(), "no test program in {} is of this kind", folder.display());
    let mut command = package("steadfaas-tests");
    command.arg("--release").args(names.iter().flat_map(|name| ["--test", name]));
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_programs_name_says_what_it_runs_on() {
        assert_eq!(Kind::of("simulated_host"), Kind::SimulatedHost);
        assert_eq!(Kind::of("lost_node"), Kind::Namespaces);
        assert_eq!(Kind::of("never_worse_admin"), Kind::Envoy);
    }
}
