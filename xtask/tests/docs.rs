//! The documents don't lie: paths and commands that they name exist.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use xtask::workspace_root;

/// The documents that lead people around. The changelog may name what is gone.
const DOCUMENTS: [&str; 7] = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/commands.md",
    "docs/exactly-once.md",
    "docs/openfaas.md",
    "docs/parameters.md",
    "docs/scale.md",
];

/// What a name in backticks ends with if it is meant as a file.
const FILE_ENDINGS: [&str; 9] = [".rs", ".toml", ".md", ".yaml", ".yml", ".json", ".svg", ".py", ".sh"];

/// What users bring or make themselves: names in examples.
const EXAMPLES: [&str; 4] = ["functions.yaml", "envoy.yaml", "envoy.json", "OUT"];

/// Commands that cargo has without the project, or with its common additions.
const CARGOS_OWN: [&str; 11] =
    ["add", "build", "check", "clippy", "deny", "doc", "fmt", "install", "run", "test", "update"];

fn read(document: &str) -> String {
    fs::read_to_string(workspace_root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// Texts in backticks, outside of code blocks.
fn quoted(document: &str) -> Vec<String> {
    let outside: String = document.split("```").step_by(2).collect();
    let lines = outside.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    lines.map(str::to_owned).collect()
}

/// Targets of links that stay within the repository.
fn linked(document: &str) -> Vec<String> {
    let targets = document.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    local.filter_map(|target| Some(target.split('#').next()?.to_owned())).collect()
}

/// The words after `cargo ` in backticks and in code blocks.
fn cargo_commands(document: &str) -> Vec<String> {
    let blocks: Vec<&str> = document.split("```").skip(1).step_by(2).flat_map(str::lines).collect();
    let quoted = quoted(document);
    let commands = quoted.iter().map(String::as_str).chain(blocks);
    let commands = commands.filter_map(|text| text.trim().trim_start_matches("$ ").strip_prefix("cargo "));
    commands.filter_map(|rest| Some(rest.split_whitespace().next()?.to_owned())).collect()
}

/// Whether a text in backticks is meant as a path of this repository: it ends as a file does, or
/// starts with a folder that is here.
fn is_path(text: &str) -> bool {
    let of_path = |c: char| c.is_ascii_alphanumeric() || "._-/{},".contains(c);
    if text.is_empty() || !text.chars().all(of_path) || EXAMPLES.contains(&text) {
        return false;
    }
    let starts_in_folder = text.split_once('/').is_some_and(|(folder, _)| {
        !folder.is_empty() && folder != "target" && workspace_root().join(folder).is_dir()
    });
    starts_in_folder || FILE_ENDINGS.iter().any(|ending| text.ends_with(ending) && text.len() > ending.len())
}

/// `a/{b,c}.rs` stands for `a/b.rs` and `a/c.rs`.
fn expanded(path: &str) -> Vec<String> {
    let alternatives = path.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    match alternatives {
        None => vec![path.to_owned()],
        Some((before, (names, after))) => {
            names.split(',').map(|name| format!("{before}{name}{after}")).collect()
        }
    }
}

/// Whether a path exists from the root; a bare file name may be anywhere.
fn exists(path: &str) -> bool {
    workspace_root().join(path).exists() || (!path.contains('/') && is_somewhere(workspace_root(), path))
}

fn is_somewhere(folder: &Path, name: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        let here = path.file_name().is_some_and(|file| file == name);
        let hidden = ["target", ".git"].iter().any(|skipped| path.ends_with(skipped));
        here || (!hidden && path.is_dir() && is_somewhere(&path, name))
    })
}

#[test]
fn every_path_that_a_document_names_exists() {
    for document in DOCUMENTS {
        let text = read(document);
        let named = quoted(&text).into_iter().filter(|text| is_path(text));
        let missing: BTreeSet<String> = named
            .chain(linked(&text))
            .flat_map(|path| expanded(&path))
            .filter(|path| !exists(path))
            .collect();
        assert!(missing.is_empty(), "{document} names what isn't there: {missing:?}");
    }
}

#[test]
fn every_cargo_command_of_the_project_is_one() {
    let aliases = read(".cargo/config.toml");
    for document in DOCUMENTS {
        let unknown: BTreeSet<String> = cargo_commands(&read(document))
            .into_iter()
            .filter(|word| !CARGOS_OWN.contains(&word.as_str()) && !aliases.contains(&format!("\n{word} = ")))
            .collect();
        assert!(unknown.is_empty(), "{document} names commands that cargo doesn't have: {unknown:?}");
    }
}

#[test]
fn the_size_limit_and_the_versions_of_envoy_in_the_documents_are_the_real_ones() {
    let text = DOCUMENTS.map(read).concat();
    let minor =
        |version: &str| version.rsplit_once('.').map(|(minor, _)| minor.to_owned()).unwrap_or_default();
    for version in [xtask::envoy::OLDEST, xtask::envoy::NEWEST] {
        let minor = minor(version);
        assert!(text.contains(&minor), "no document names Envoy {minor}, which is supported");
    }
    assert!(
        text.contains(&format!("{} KB", xtask::module::SIZE_LIMIT / 1000)),
        "no document names the size limit"
    );
}

#[test]
fn ci_runs_the_test_command_of_the_readme() {
    let script = read(".ci/run");
    assert!(script.lines().any(|line| line.trim() == "cargo verify"), "{script}");
    assert!(read("README.md").contains("cargo verify"));
}

#[test]
fn a_path_is_told_from_other_words() {
    for path in ["filter/core/src/policy.rs", "README.md", "tests/", "filter/core/src/{view,plan}.rs"] {
        assert!(is_path(path), "{path}");
    }
    for other in ["cargo verify", "502/503", "10%", "functions.yaml", ".rs", "x-envoy-retry-on", ""] {
        assert!(!is_path(other), "{other}");
    }
}

#[test]
fn alternatives_in_braces_are_all_looked_for() {
    assert_eq!(expanded("a/{b,c}.rs"), ["a/b.rs", "a/c.rs"]);
    assert_eq!(expanded("a/b.rs"), ["a/b.rs"]);
}

#[test]
fn cargos_commands_are_found_in_backticks_and_blocks_but_not_in_prose() {
    let document = "With cargo you run `cargo demo --rate 9`.\n```sh\n$ cargo verify\ncargo fmt\n```\n";
    assert_eq!(cargo_commands(document), ["demo", "verify", "fmt"]);
}

/// A fresh clone has no module yet, and what includes one can't be built without.
#[test]
fn commands_of_a_fresh_clone_go_by_xtask_or_need_no_module() {
    let aliases = read(".cargo/config.toml");
    let packages = aliases.lines().filter_map(|line| line.split_once("--package ")?.1.split(' ').next());
    let packages: Vec<_> = packages.collect();
    assert!(packages.len() > 4, "{packages:?}");
    for package in packages {
        assert!(["xtask", "steadfaas-simulation"].contains(&package), "an alias runs {package} itself");
    }
}
