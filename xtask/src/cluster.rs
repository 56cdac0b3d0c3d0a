//! `cargo cluster`: makes sure of the filter's module, which the program includes, and becomes the program.

use std::convert::Infallible;
use std::os::unix::process::CommandExt;

use anyhow::{Context, Result};

use crate::command::cargo;
use crate::module;

/// Runs the program in the place of this process, so that signals and its exit code are its own. A module that is there
/// will do: what goes to a cluster is built anew by the program itself.
pub fn become_program(arguments: &[String]) -> Result<Infallible> {
    module::ensure_filter()?;
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "steadfaas-e2e", "--bin", "cluster", "--"]).args(arguments);
    Err(command.exec()).context("cannot start cargo")
}
