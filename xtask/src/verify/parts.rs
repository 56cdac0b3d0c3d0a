//! The parts themselves, in the order they run: what finds a mistake soonest comes first.

use std::process::Command;

use anyhow::Result;

use super::part::{Outcome, Part};
use super::tally::Tally;
use super::tests_of::{count, package};
use crate::command::{cargo, output_of, run, run_heard};
use crate::module;
use crate::supplies::{Supplies, Supply};

mod cluster;
mod test_programs;

pub(super) const ALL: [Part; 19] = [
    Part::quick("format", "the code is formatted", format),
    Part::quick("licences", "licences, bans and sources of the dependencies", licences),
    Part::quick("docs", "what the documents name exists, the layout is kept", docs),
    Part::quick("xtask", "tests of these commands", xtask),
    Part::quick("filter", "the filter's module builds and fits its size", filter),
    Part::quick("lints", "clippy and rustdoc have nothing to say", lints),
    Part::quick("core", "tests of the decisions", core),
    // From here on with `--release`, as what is shown and measured.
    Part::quick("units", "unit tests of every program", test_programs::units),
    Part::quick(
        "installer",
        "tests of `steadfaas`, its bootstrap given to both Envoys",
        test_programs::installer,
    ),
    Part::quick("functions", "tests of the functions, and of what they share", test_programs::functions),
    Part::quick("simulated-host", "the built module in a simulated host", test_programs::simulated_host),
    Part::long(
        "simulation",
        "rules that hold in every simulated scenario; the tables made of it",
        simulation,
    ),
    Part::long("oldest", "the smoke tests on the oldest supported Envoy", test_programs::oldest),
    Part::long("matrix", "all tests on the newest supported Envoy", test_programs::matrix),
    Part::long(
        "lost-node",
        "hosts that vanish without a word, in network namespaces",
        test_programs::lost_node,
    ),
    Part::long(
        "guestbook",
        "a function on a real Redis: each entry once, with and without a proxy",
        test_programs::guestbook,
    ),
    Part::long("e2e", "the shipped programs from end to end", test_programs::e2e),
    Part::long("cluster", "every scenario on a real Kubernetes with Istio", cluster::scenarios),
    Part::long("cluster-cycle", "clusters come and go, and leave nothing behind", cluster::cycles),
];

/// Links to private items are fine: nothing is published, who reads the documentation reads the code.
const RUSTDOC: &str = "-D warnings -A rustdoc::private_intra_doc_links";

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
    count_tests(package("xtask").args(["--test", "*"]))
}

fn xtask(_: &Supplies) -> Result<Outcome> {
    count_tests(package("xtask").args(["--lib", "--bins"]))
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
    rustdoc
        .args(["doc", "--workspace", "--no-deps", "--quiet", "--document-private-items"])
        .env("RUSTDOCFLAGS", RUSTDOC);
    let mut tally = Tally::default();
    for command in [cargo().args(clippy), cargo().args(panicking), &mut rustdoc] {
        tally += held(supplies.hand(&[Supply::Module], command)?);
    }
    Ok(Outcome::Counted(tally))
}

/// Without `--release`: overflows and debug assertions are part of what is tested.
fn core(_: &Supplies) -> Result<Outcome> {
    count_tests(&mut package("steadfaas-core"))
}

fn simulation(_: &Supplies) -> Result<Outcome> {
    count_tests(package("steadfaas-simulation").arg("--release"))
}

fn count_tests(command: &mut Command) -> Result<Outcome> {
    count(command).map(Outcome::Counted)
}

fn check(command: &mut Command) -> Result<Outcome> {
    Ok(Outcome::Counted(held(command)))
}

/// One check that has no tests of its own.
fn held(command: &mut Command) -> Tally {
    tally(run(command))
}

/// The same, where what it says is not for a terminal's eyes only: its last lines are in the complaint.
fn heard(command: &mut Command) -> Tally {
    tally(run_heard(command))
}

fn tally(ended: Result<()>) -> Tally {
    ended.map_or_else(|error| Tally::of_error(&error), |()| Tally::PASSED)
}
