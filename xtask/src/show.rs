//! `cargo demo` and `cargo faults`: makes the supplies, builds the program, becomes it.

use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{cargo, run, say};
use crate::functions::Function;
use crate::supplies::{Supplies, Supply, released};

/// In this order: who lacks an Envoy that can be fetched should learn so before a long build.
/// The oldest Envoy and the panicking module are for tests.
const NEEDED: [Supply; 3] = [Supply::NewestEnvoy, Supply::Module, Supply::Function(Function::Fib)];

/// Runs `demo` or `faults` in the place of this process, so that signals and its exit code are its own.
/// Until then everything is said on stderr: what the program prints may be read by another one.
pub fn become_program(name: &str, arguments: &[String]) -> Result<Infallible> {
    let supplies = Supplies::default();
    let program = released(name);
    let mut command = Command::new(&program);
    supplies.hand(&NEEDED, command.args(arguments))?;
    say(&format!("building {name}"));
    let mut build = cargo();
    build.args(["build", "--release", "--package", "steadfaas-tests", "--bin", name]);
    run(supplies.hand(&[Supply::Module], &mut build)?)?;
    Err(command.exec()).with_context(|| format!("cannot start {}", program.display()))
}
