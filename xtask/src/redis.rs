//! A real Redis: what the guestbook keeps its entries in.

use std::process::Command;

use anyhow::{Context, Result};

use crate::apt;
use crate::command::output_of;

/// The program, as Debian's package `redis-server` has it in PATH.
pub const PROGRAM: &str = "redis-server";

/// Makes sure that there is one, or says why it can't. Where services are started when they are installed, the package
/// starts one of its own on the usual port; nothing here uses it.
pub fn ensure() -> Result<()> {
    if output_of(Command::new(PROGRAM).arg("--version")).is_ok() {
        return Ok(());
    }
    apt::install(&[PROGRAM], "the guestbook").context("the guestbook needs `redis-server`")
}
