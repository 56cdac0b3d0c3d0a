//! `cargo xtask …`, and what `cargo demo`, `cargo faults`, `cargo cluster` and `cargo verify` stand for.

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::{cluster, module, show, verify};

const USAGE: &str = "usage: cargo xtask filter [--panics] | demo … | faults … | cluster … | verify …";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does what was asked for and says whether it went well; an error when it couldn't be done at all.
fn dispatch(arguments: &[String]) -> Result<bool> {
    let Some((command, rest)) = arguments.split_first() else { bail!("{USAGE}") };
    // `cargo faults -- --json` means the same as `cargo faults --json`: the alias has its own `--` already.
    let rest = rest.strip_prefix(&["--".to_owned()]).unwrap_or(rest);
    match command.as_str() {
        "filter" => filter(rest),
        "verify" => verify::run(rest),
        "demo" | "faults" => match show::become_program(command, rest)? {},
        "cluster" => match cluster::become_program(rest)? {},
        _ => bail!("unknown command `{command}`; {USAGE}"),
    }
}

fn filter(arguments: &[String]) -> Result<bool> {
    match arguments {
        [] => {
            let module = module::build_filter()?;
            println!(
                "{}: {} bytes of at most {}",
                module.display(),
                module::check_size(&module)?,
                module::SIZE_LIMIT
            );
        }
        [flag] if flag == "--panics" => println!("{}", module::build_panicking_filter()?.display()),
        _ => bail!("{USAGE}"),
    }
    Ok(true)
}
