//! The `steadfaas` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    steadfaas::cli::run()
}
