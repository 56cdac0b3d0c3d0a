//! The command line: what was typed, what it comes to, and how it ends. Each command has a file of its own.

mod cluster;
mod completions;
mod controller;
mod doctor;
mod drill;
mod failure;
mod install;
mod output;
mod protect;
mod render;
mod standalone;
mod status;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::CliError;

/// Keeps functions answering while their replicas fail.
#[derive(Debug, Parser)]
#[command(name = "steadfaas", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Puts the filter and the controller into a cluster, and waits until the gateways have them
    Install(install::Install),
    /// Takes all of it away again, in an order in which no request fails
    Uninstall(install::Uninstall),
    /// Prints every object of an installation, for kubectl or a repository
    Render(render::Render),
    /// Writes a function's annotations, and with --scale the replicas that it needs
    Protect(Box<protect::Protect>),
    /// Takes a function's annotations away
    Unprotect(protect::Unprotect),
    /// Shows how protected functions are: their replicas, the proxies that have them, what is wrong
    Status(status::Status),
    /// Finds what breaks protection in practice, and names the command that mends it
    Doctor(doctor::Doctor),
    /// Rehearses a failure: deletes one replica while others are well, and reports what clients got
    Drill(drill::Drill),
    /// Watches functions and keeps their EnvoyFilters right: what the Deployment in the manifest runs
    Controller(controller::Controller),
    /// Makes a complete Envoy bootstrap from a file that lists functions
    Standalone(standalone::Standalone),
    /// Prints a script that completes this command's words in a shell
    Completions(completions::Completions),
}

/// How a command ends that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// All is well.
    Well,
    /// What was asked is answered with no: something is wrong with what was looked at, not with the command.
    NotWell,
}

/// Exit code when all was done, and what was looked at isn't well.
const NOT_WELL: u8 = 3;

/// Does what the command line says.
#[must_use]
pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Install(arguments) => install::install(&arguments),
        Command::Uninstall(arguments) => install::uninstall(&arguments),
        Command::Render(arguments) => render::run(&arguments).map(|()| Outcome::Well),
        Command::Protect(arguments) => protect::protect(&arguments),
        Command::Unprotect(arguments) => protect::unprotect(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Drill(arguments) => drill::run(&arguments),
        Command::Controller(arguments) => controller::run(&arguments).map(|()| Outcome::Well),
        Command::Standalone(arguments) => standalone::run(&arguments).map(|()| Outcome::Well),
        Command::Completions(arguments) => completions::run::<Cli>(&arguments).map(|()| Outcome::Well),
    };
    match done {
        Ok(Outcome::Well) => ExitCode::SUCCESS,
        Ok(Outcome::NotWell) => ExitCode::from(NOT_WELL),
        Err(error) => error.complain(),
    }
}
