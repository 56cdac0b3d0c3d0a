//! What the other crates are built and run with: each supply is made once, when it is first asked for.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, anyhow};

use crate::command::{cargo, run, say};
use crate::functions::Function;
use crate::{envoy, module, target_dir};

/// Something that programs and tests are handed as a path in a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supply {
    /// The filter's module, as shipped.
    Module,
    /// The filter's module that panics when told to.
    PanickingModule,
    /// The newest supported Envoy.
    NewestEnvoy,
    /// The oldest supported Envoy.
    OldestEnvoy,
    /// A function's program.
    Function(Function),
}

impl Supply {
    /// The variable that names it.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Module => "STEADFAAS_FILTER_WASM",
            Self::PanickingModule => "STEADFAAS_FILTER_PANICS_WASM",
            Self::NewestEnvoy => envoy::NEWEST_VARIABLE,
            Self::OldestEnvoy => envoy::OLDEST_VARIABLE,
            Self::Function(function) => function.variable(),
        }
    }

    fn make(self, supplies: &Supplies) -> Result<PathBuf> {
        match self {
            Self::Module => module::build_filter(),
            Self::PanickingModule => module::build_panicking_filter(),
            Self::NewestEnvoy => envoy::ensure(envoy::NEWEST),
            Self::OldestEnvoy => envoy::ensure(envoy::OLDEST),
            Self::Function(function) => (supplies.build_function)(supplies, function),
        }
    }
}

/// What was made so far, or why it couldn't be: a failed build isn't tried again for every one who asks.
#[derive(Debug)]
pub struct Supplies {
    module: OnceCell<Result<PathBuf, String>>,
    panicking_module: OnceCell<Result<PathBuf, String>>,
    newest_envoy: OnceCell<Result<PathBuf, String>>,
    oldest_envoy: OnceCell<Result<PathBuf, String>>,
    fib: OnceCell<Result<PathBuf, String>>,
    guestbook: OnceCell<Result<PathBuf, String>>,
    primes: OnceCell<Result<PathBuf, String>>,
    build_function: fn(&Supplies, Function) -> Result<PathBuf>,
}

impl Default for Supplies {
    fn default() -> Self {
        Self::with_functions(|_, function| build(function.name(), function.name()))
    }
}

impl Supplies {
    /// With functions that are built so, if they are asked for.
    pub fn with_functions(build_function: fn(&Self, Function) -> Result<PathBuf>) -> Self {
        Self {
            module: OnceCell::new(),
            panicking_module: OnceCell::new(),
            newest_envoy: OnceCell::new(),
            oldest_envoy: OnceCell::new(),
            fib: OnceCell::new(),
            guestbook: OnceCell::new(),
            primes: OnceCell::new(),
            build_function,
        }
    }

    /// Where a supply is; it is made if it wasn't.
    pub fn get(&self, supply: Supply) -> Result<&Path> {
        let cell = match supply {
            Supply::Module => &self.module,
            Supply::PanickingModule => &self.panicking_module,
            Supply::NewestEnvoy => &self.newest_envoy,
            Supply::OldestEnvoy => &self.oldest_envoy,
            Supply::Function(Function::Fib) => &self.fib,
            Supply::Function(Function::Guestbook) => &self.guestbook,
            Supply::Function(Function::Primes) => &self.primes,
        };
        let made = cell.get_or_init(|| supply.make(self).map_err(|error| format!("{error:#}")));
        made.as_deref().map_err(|reason| anyhow!("{reason}"))
    }

    /// Names these supplies to a program.
    pub fn hand<'c>(&self, supplies: &[Supply], command: &'c mut Command) -> Result<&'c mut Command> {
        for &supply in supplies {
            command.env(supply.variable(), self.get(supply)?);
        }
        Ok(command)
    }
}

/// Where cargo puts a program that is built with `--release`.
pub fn released(program: &str) -> PathBuf {
    target_dir().join("release").join(program)
}

/// Builds a program of the workspace with `--release`; where it is then.
pub fn build(package: &str, program: &str) -> Result<PathBuf> {
    say(&format!("building {program}"));
    run(cargo().args(["build", "--quiet", "--release", "--package", package, "--bin", program]))?;
    Ok(released(program))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn a_supply_is_named_in_its_variable() {
        let supplies = Supplies { fib: OnceCell::from(Ok("/made/fib".into())), ..Supplies::default() };
        let mut command = Command::new("true");
        supplies.hand(&[Supply::Function(Function::Fib)], &mut command).unwrap();
        let named: Vec<_> = command.get_envs().collect();
        assert_eq!(named, [(OsStr::new("STEADFAAS_FIB"), Some(OsStr::new("/made/fib")))]);
    }

    #[test]
    fn a_supply_that_cannot_be_made_says_why_to_everyone_who_asks() {
        let supplies =
            Supplies { module: OnceCell::from(Err("no compiler".to_owned())), ..Supplies::default() };
        for _ in 0..2 {
            assert_eq!(supplies.get(Supply::Module).unwrap_err().to_string(), "no compiler");
        }
    }
}
