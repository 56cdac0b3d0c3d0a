//! `steadfaas completions`: words for a shell.

use std::io;

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::CliError;

/// What `steadfaas completions` is told.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

/// Does it.
pub(super) fn run<C: CommandFactory>(arguments: &Completions) -> Result<(), CliError> {
    let mut command = C::command();
    let name = command.get_name().to_owned();
    generate(arguments.shell, &mut command, name, &mut io::stdout());
    Ok(())
}
