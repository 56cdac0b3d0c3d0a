//! The parts that are test programs: the units of all crates, and those of `installer`, `functions`, `tests` and `e2e`,
//! most of them on real Envoys.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::count_tests;
use crate::command::output_of;
use crate::functions::Function;
use crate::supplies::{Supplies, Supply};
use crate::verify::part::Outcome;
use crate::verify::together::{self, Package};
use crate::{apt, redis};

/// What the tests on real Envoys take.
const ENVOY_TESTS: [Supply; 5] = [
    Supply::NewestEnvoy,
    Supply::OldestEnvoy,
    Supply::Module,
    Supply::PanickingModule,
    Supply::Function(Function::Fib),
];

/// What those of the guestbook take.
const GUESTBOOK_TESTS: [Supply; 3] =
    [Supply::NewestEnvoy, Supply::Module, Supply::Function(Function::Guestbook)];

/// What the names of the tests on the oldest Envoy end with.
const FOR_THE_OLDEST: &str = "on_the_oldest_envoy";

/// They measure: one at a time, or they measure each other.
const ONE_BY_ONE: [&str; 2] = ["--", "--test-threads=1"];

pub(super) fn units(supplies: &Supplies) -> Result<Outcome> {
    count_tests(supplies.hand(&ENVOY_TESTS, &mut together::units())?)
}

pub(super) fn installer(supplies: &Supplies) -> Result<Outcome> {
    count_tests(supplies.hand(&ENVOY_TESTS, &mut Package::Installer.tests(|_| true)?)?)
}

pub(super) fn functions(supplies: &Supplies) -> Result<Outcome> {
    let mut command = together::tests_of(&Package::FUNCTIONS, |_| true)?;
    count_tests(supplies.hand(&[Supply::Module], &mut command)?)
}

pub(super) fn simulated_host(supplies: &Supplies) -> Result<Outcome> {
    let mut command = tests_on(Kind::SimulatedHost)?;
    count_tests(supplies.hand(&[Supply::Module, Supply::PanickingModule], &mut command)?)
}

pub(super) fn oldest(supplies: &Supplies) -> Result<Outcome> {
    let mut command = tests_on(Kind::Envoy)?;
    command.args(ONE_BY_ONE).arg(FOR_THE_OLDEST);
    count_tests(supplies.hand(&ENVOY_TESTS, &mut command)?)
}

pub(super) fn matrix(supplies: &Supplies) -> Result<Outcome> {
    let mut command = tests_on(Kind::Envoy)?;
    command.args(ONE_BY_ONE).args(["--skip", FOR_THE_OLDEST]);
    count_tests(supplies.hand(&ENVOY_TESTS, &mut command)?)
}

pub(super) fn lost_node(supplies: &Supplies) -> Result<Outcome> {
    in_namespaces(supplies, || tests_on(Kind::Namespaces))
}

pub(super) fn guestbook(supplies: &Supplies) -> Result<Outcome> {
    if let Err(why) = redis::ensure() {
        return Ok(Outcome::NotRun(format!("{why:#}")));
    }
    count_tests(supplies.hand(&GUESTBOOK_TESTS, tests_on(Kind::Redis)?.args(ONE_BY_ONE))?)
}

pub(super) fn e2e(supplies: &Supplies) -> Result<Outcome> {
    in_namespaces(supplies, || {
        let mut command = Package::E2e.tests(|_| true)?;
        command.env("STEADFAAS_BIN", Package::Installer.program(supplies, "steadfaas")?);
        Ok(command)
    })
}

/// What `command` gives is run where there are network namespaces; it is asked only there, for it may build something.
fn in_namespaces(supplies: &Supplies, command: impl FnOnce() -> Result<Command>) -> Result<Outcome> {
    if let Err(why) = ensure_namespaces() {
        return Ok(Outcome::NotRun(format!("{why:#}")));
    }
    count_tests(supplies.hand(&ENVOY_TESTS, command()?.args(ONE_BY_ONE))?)
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
    Redis,
    Envoy,
}

impl Kind {
    fn of(program: &str) -> Self {
        match program {
            _ if program.starts_with("simulated_host") => Self::SimulatedHost,
            _ if program.starts_with("lost_node") => Self::Namespaces,
            _ if program.starts_with("guestbook") => Self::Redis,
            _ => Self::Envoy,
        }
    }
}

fn tests_on(kind: Kind) -> Result<Command> {
    Package::Tests.tests(|name| Kind::of(name) == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_programs_name_says_what_it_runs_on() {
        assert_eq!(Kind::of("simulated_host"), Kind::SimulatedHost);
        assert_eq!(Kind::of("lost_node"), Kind::Namespaces);
        assert_eq!(Kind::of("guestbook_repeats"), Kind::Redis);
        assert_eq!(Kind::of("never_worse_admin"), Kind::Envoy);
    }
}
