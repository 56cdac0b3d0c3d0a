//! The parts themselves, in the order they run: what finds a mistake soonest comes first.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::part::{Outcome, Part};
use super::tally::Tally;
use super::tests_of::{count, package};
use crate::command::{cargo, output_of, run};
use crate::supplies::{Supplies, Supply, released};
use crate::{apt, module, workspace_root};

/// What the tests on real Envoys take.
const ENVOY_TESTS: [Supply; 5] =
    [Supply::NewestEnvoy, Supply::OldestEnvoy, Supply::Module, Supply::PanickingModule, Supply::Fib];

/// What the names of the tests on the oldest Envoy end with.
const FOR_THE_OLDEST: &str = "on_the_oldest_envoy";

/// They measure: one at a time, or they measure each other.
const ONE_BY_ONE: [&str; 2] = ["--", "--test-threads=1"];

pub(super) const ALL: [Part; 14] = [
    Part { name: "format", what: "the code is formatted", quick: true, run: format },
    Part {
        name: "licences",
        what: "licences, bans and sources of the dependencies",
        quick: true,
        run: licences,
    },
    Part { name: "docs", what: "what the documents name exists, the layout is kept", quick: true, run: docs },
    Part { name: "xtask", what: "tests of these commands", quick: true, run: xtask },
    Part { name: "filter", what: "the filter's module builds and fits its size", quick: true, run: filter },
    Part { name: "lints", what: "clippy and rustdoc have nothing to say", quick: true, run: lints },
    Part { name: "core", what: "tests of the decisions", quick: true, run: core },
    Part { name: "installer", what: "tests of `steadfaas`", quick: true, run: installer },
    Part { name: "fib", what: "tests of the sample function", quick: true, run: fib },
    Part { name: "test-bed", what: "tests of the test bed itself", quick: true, run: test_bed },
    Part {
        name: "simulated-host",
        what: "the built module in a simulated host",
        quick: true,
        run: simulated_host,
    },
    Part { name: "oldest", what: "the smoke tests on the oldest supported Envoy", quick: false, run: oldest },
    Part { name: "matrix", what: "all tests on the newest supported Envoy", quick: false, run: matrix },
    Part { name: "e2e", what: "the shipped programs from end to end", quick: false, run: e2e },
];

fn format(_: &Supplies) -> Result<Outcome> {
    check(cargo().args(["fmt", "--all", "--check"]))
}

/// Advisories are left to `cargo deny check`: they change while the project doesn't.
fn licences(_: &Supplies) -> Result<Outcome> {
    if output_of(cargo().args(["deny", "--version"])).is_err() {
        let why = "cargo-deny is not installed (`cargo install --locked cargo-deny`, some minutes)";
        return Ok(Outcome::NotRun(why.to_owned()));
    }
    check(cargo().args(["deny", "check", "licenses", "bans", "sources"]))
}

fn docs(_: &Supplies) -> Result<Outcome> {
    tests(package("xtask").args(["--test", "*"]))
}

fn xtask(_: &Supplies) -> Result<Outcome> {
    tests(package("xtask").args(["--lib", "--bins"]))
}

fn filter(supplies: &Supplies) -> Result<Outcome> {
    supplies.get(Supply::PanickingModule)?;
    let module = supplies.get(Supply::Module)?;
    let size = module::check_size(module)?;
    println!("{}: {size} bytes of at most {}", module.display(), module::SIZE_LIMIT);
    Ok(Outcome::Counted(Tally::PASSED))
}

fn lints(supplies: &Supplies) -> Result<Outcome> {
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    let panicking = ["clippy", "-p", "steadfaas-filter", "-F", "panic-on-request", "--", "-D", "warnings"];
    let mut rustdoc = cargo();
    rustdoc.args(["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings");
    let mut tally = Tally::default();
    for command in [cargo().args(clippy), cargo().args(panicking), &mut rustdoc] {
        tally += held(supplies.hand(&[Supply::Module], command)?);
    }
    Ok(Outcome::Counted(tally))
}

/// Without `--release`: overflows and debug assertions are part of what is tested.
fn core(_: &Supplies) -> Result<Outcome> {
    tests(&mut package("steadfaas-core"))
}

/// From here on with `--release`, as what is shown and measured: everything is compiled once.
fn installer(supplies: &Supplies) -> Result<Outcome> {
    let needed = [Supply::NewestEnvoy, Supply::OldestEnvoy, Supply::Module];
    tests(supplies.hand(&needed, package("steadfaas").arg("--release"))?)
}

fn fib(_: &Supplies) -> Result<Outcome> {
    tests(package("fib").arg("--release"))
}

fn test_bed(supplies: &Supplies) -> Result<Outcome> {
    let mut command = package("steadfaas-tests");
    command.args(["--release", "--lib", "--bins"]);
    tests(supplies.hand(&[Supply::NewestEnvoy, Supply::Module, Supply::Fib], &mut command)?)
}

fn simulated_host(supplies: &Supplies) -> Result<Outcome> {
    let mut command = package("steadfaas-tests");
    command.arg("--release").args(programs(is_simulated_host)?);
    tests(supplies.hand(&[Supply::Module, Supply::PanickingModule], &mut command)?)
}

fn oldest(supplies: &Supplies) -> Result<Outcome> {
    on_envoy(supplies, &[FOR_THE_OLDEST])
}

fn matrix(supplies: &Supplies) -> Result<Outcome> {
    on_envoy(supplies, &["--skip", FOR_THE_OLDEST])
}

/// Runs these of the tests on real Envoys.
fn on_envoy(supplies: &Supplies, which: &[&str]) -> Result<Outcome> {
    ensure_namespaces()?;
    let mut command = package("steadfaas-tests");
    command.arg("--release").args(programs(|name| !is_simulated_host(name))?);
    command.args(ONE_BY_ONE).args(which);
    tests(supplies.hand(&ENVOY_TESTS, &mut command)?)
}

fn e2e(supplies: &Supplies) -> Result<Outcome> {
    if let Err(why) = ensure_namespaces() {
        return Ok(Outcome::NotRun(format!("its nodes are network namespaces: {why:#}")));
    }
    let mut build = cargo();
    build.args(["build", "--release", "--package", "steadfaas", "--bin", "steadfaas"]);
    run(supplies.hand(&[Supply::Module], &mut build)?)?;
    let mut command = package("steadfaas-e2e");
    command.arg("--release").args(ONE_BY_ONE).env("STEADFAAS_BIN", released("steadfaas"));
    tests(supplies.hand(&ENVOY_TESTS, &mut command)?)
}

/// Makes sure of what network namespaces take: Linux, root, `ip` and `nsenter`.
fn ensure_namespaces() -> Result<()> {
    let works = |program: &str| output_of(Command::new(program).arg("-V")).is_ok();
    anyhow::ensure!(cfg!(target_os = "linux"), "that needs Linux");
    anyhow::ensure!(apt::is_root(), "that needs root");
    if !(works("ip") && works("nsenter")) {
        apt::install(&["iproute2", "util-linux"], "network namespaces")?;
    }
    Ok(())
}

fn is_simulated_host(program: &str) -> bool {
    program.starts_with("simulated_host")
}

/// `--test NAME` for the test programs in tests/tests that are of this kind: a new file is in by itself.
fn programs(which: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let folder = workspace_root().join("tests/tests");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let files = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names = files.filter_map(|file| file.strip_suffix(".rs").map(str::to_owned));
    let mut names: Vec<String> = names.filter(|name| which(name)).collect();
    names.sort_unstable();
    anyhow::ensure!(!names.is_empty(), "{} has no test program of this kind", folder.display());
    Ok(names.into_iter().flat_map(|name| ["--test".to_owned(), name]).collect())
}

fn tests(command: &mut Command) -> Result<Outcome> {
    count(command).map(Outcome::Counted)
}

fn check(command: &mut Command) -> Result<Outcome> {
    Ok(Outcome::Counted(held(command)))
}

/// One check that has no tests of its own.
fn held(command: &mut Command) -> Tally {
    match run(command) {
        Ok(()) => Tally::PASSED,
        Err(error) => {
            eprintln!("error: {error:#}");
            Tally::FAILED
        }
    }
}
