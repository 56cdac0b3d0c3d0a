//! `cargo xtask …`, and what `cargo demo`, `cargo faults` and `cargo verify` stand for.

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::module;

const USAGE: &str = "usage: cargo xtask filter [--panics]";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<ExitCode> {
    match arguments {
        [command, rest @ ..] if command == "filter" => filter(rest),
        _ => bail!("{USAGE}"),
    }
}

fn filter(arguments: &[String]) -> Result<ExitCode> {
    let module = match arguments {
        [] => module::build_filter()?,
        [flag] if flag == "--panics" => module::build_panicking_filter()?,
        _ => bail!("{USAGE}"),
    };
    println!("{}", module::describe(&module)?);
    Ok(ExitCode::SUCCESS)
}
