//! The layout is kept: how files open, how they are named, how large the filter may grow.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};

use xtask::workspace_root;

/// Lines of code of the filter. It is host adapter and callbacks, decisions are in its core: it stays small enough to
/// be read in one go.
const FILTER_LINES: usize = 1_000;

/// From here on a file does more than one thing.
const FILE_LINES: usize = 400;

/// Every Rust file of the workspace below a folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let skipped = ["target", ".git"].iter().any(|skipped| path.ends_with(skipped));
        if path.is_dir() && !skipped {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn lines(file: &Path) -> usize {
    fs::read_to_string(file).unwrap().lines().count()
}

/// Lines that are neither blank nor only a comment.
fn lines_of_code(file: &Path) -> usize {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

/// Fails naming all files for which `wrong` holds.
fn none(wrong: impl Fn(&Path) -> bool, what: &str) {
    let files: Vec<PathBuf> = rust_files(workspace_root()).into_iter().filter(|file| wrong(file)).collect();
    assert!(files.is_empty(), "{what}: {files:#?}");
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    none(|file| !fs::read_to_string(file).unwrap().starts_with("//! "), "no `//!` line at the top");
}

#[test]
fn modules_are_named_by_their_file() {
    none(|file| file.ends_with("mod.rs"), "`foo.rs` and `foo/`, not `foo/mod.rs`");
}

#[test]
fn no_file_is_longer_than_one_thing_takes() {
    none(|file| lines(file) > FILE_LINES, &format!("longer than {FILE_LINES} lines"));
}

#[test]
fn the_filter_stays_an_adapter() {
    let total: usize =
        rust_files(&workspace_root().join("filter/src")).iter().map(|file| lines_of_code(file)).sum();
    assert!(total < FILTER_LINES, "filter/src has {total} lines of code, which is not below {FILTER_LINES}");
}
