//! The packages that are built with `--release`, but for the simulation, which has other constants. Whatever of them is
//! wanted, cargo is told of all: it then gives what they depend on the same features each time, and compiles it once.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::command::{cargo, run, say};
use crate::functions::Function;
use crate::supplies::{Supplies, Supply, released};
use crate::workspace_root;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Package {
    Installer,
    Function(Function),
    Serving,
    Tests,
    E2e,
}

impl Package {
    /// The functions, and what they share.
    pub(super) const FUNCTIONS: [Self; 4] = [
        Self::Serving,
        Self::Function(Function::Fib),
        Self::Function(Function::Guestbook),
        Self::Function(Function::Primes),
    ];

    fn all() -> impl Iterator<Item = Self> {
        [Self::Installer].into_iter().chain(Self::FUNCTIONS).chain([Self::Tests, Self::E2e])
    }

    fn name(self) -> &'static str {
        match self {
            Self::Installer => "steadfaas",
            Self::Function(function) => function.name(),
            Self::Serving => "serving",
            Self::Tests => "steadfaas-tests",
            Self::E2e => "steadfaas-e2e",
        }
    }

    fn folder(self) -> PathBuf {
        let root = workspace_root();
        match self {
            Self::Installer => root.join("installer"),
            Self::Function(_) | Self::Serving => root.join("functions").join(self.name()),
            Self::Tests => root.join("tests"),
            Self::E2e => root.join("e2e"),
        }
    }

    /// Its test programs. They are looked for: a new file is in by itself.
    fn test_programs(self) -> Result<Vec<String>> {
        let folder = self.folder().join("tests");
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let files = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> =
            files.filter_map(|file| Some(file.strip_suffix(".rs")?.to_owned())).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// `cargo test` of those of its test programs whose name is wanted.
    pub(super) fn tests(self, is_wanted: impl Fn(&str) -> bool) -> Result<Command> {
        tests_of(&[self], is_wanted)
    }

    /// One of its programs, built as its tests have it.
    pub(super) fn program(self, supplies: &Supplies, program: &str) -> Result<PathBuf> {
        say(&format!("building {program}"));
        let any = self.test_programs()?.into_iter().next();
        let any = any.with_context(|| format!("{} has no test program", self.name()))?;
        let mut build = together();
        run(supplies.hand(&[Supply::Module], build.args(["--quiet", "--no-run", "--test", &any]))?)?;
        Ok(released(program))
    }
}

/// `cargo test` of those test programs of these packages whose name is wanted; each package has one.
pub(super) fn tests_of(packages: &[Package], is_wanted: impl Fn(&str) -> bool) -> Result<Command> {
    let mut command = together();
    for package in packages {
        let mut names = package.test_programs()?;
        names.retain(|name| is_wanted(name));
        ensure!(!names.is_empty(), "no test program of {} is of this kind", package.name());
        command.args(names.iter().flat_map(|name| ["--test", name]));
    }
    Ok(command)
}

/// `cargo test` of all unit tests.
pub(super) fn units() -> Command {
    let mut command = together();
    command.args(["--lib", "--bins"]);
    command
}

fn together() -> Command {
    let mut command = cargo();
    command.args(["test", "--no-fail-fast", "--release"]);
    command.args(Package::all().flat_map(|package| ["--package", package.name()]));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_has_test_programs_and_no_two_of_them_share_a_name() {
        let mut names: Vec<String> =
            Package::all().flat_map(|package| package.test_programs().unwrap()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "`--test NAME` would run both");
        assert!(Package::all().all(|package| package.tests(|_| true).is_ok()));
    }
}
