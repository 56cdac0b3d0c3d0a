//! The committed tables are those of this source.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use std::path::Path;

use steadfaas_simulation::parameters;
use steadfaas_simulation::tables::sensitivity::{self, SEEDS};
use steadfaas_simulation::tables::{faults, scale};

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cells of a Markdown table's line.
fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

/// The line of `text` whose first cell is this.
fn line_of(text: &str, name: &str) -> Option<Vec<String>> {
    text.lines()
        .filter(|line| line.starts_with('|'))
        .map(cells)
        .find(|cells| cells.first().is_some_and(|first| first == name))
}

#[test]
fn the_parameters_are_those_of_the_source_with_their_values_and_reasons() {
    let text = document("parameters.md");
    let listed = text.lines().filter(|line| line.starts_with("| `")).map(|line| cells(line)[..3].to_vec());
    let parameters = parameters::all().unwrap();
    let wanted = parameters.iter().map(|parameter| parameter.cells().to_vec());
    let (listed, wanted): (Vec<_>, Vec<_>) = (listed.collect(), wanted.collect());
    assert_eq!(listed, wanted, "`cargo simulate sensitivity > docs/parameters.md` makes it anew");
}

#[test]
fn the_numbers_are_those_of_this_source() {
    let text = document("parameters.md");
    let runs = faults::run(&sensitivity::rows(), SEEDS).unwrap();
    for wanted in faults::show(&runs, true).lines().skip(2).map(cells) {
        let listed = line_of(&text, &wanted[0]).unwrap_or_default();
        assert_eq!(listed, wanted, "`cargo simulate sensitivity > docs/parameters.md` makes it anew");
    }
}

#[test]
fn the_numbers_of_scale_are_those_of_this_source() {
    let text = document("scale.md");
    let listed: Vec<Vec<String>> = text.lines().filter(|line| line.starts_with('|')).map(cells).collect();
    for proxies in &scale::PROXIES[..3] {
        let wanted = scale::line_of_proxies(*proxies, 2_000.0).unwrap();
        assert!(listed.contains(&wanted), "`cargo simulate scale > docs/scale.md` makes it anew: {wanted:?}");
    }
}
