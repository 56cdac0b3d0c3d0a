//! Runs `cargo test`, shows its output as it comes, and counts.

use std::io::{BufRead, BufReader, Write, stdout};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::tally::Tally;
use crate::command::{cargo, say, shown};

/// How much of what the failed tests of one program said is kept, in lines: what the first of them says, and the names of
/// some more. The whole stands where it was printed.
const COMPLAINT_LINES: usize = 40;

/// `cargo test` of one package, all its test programs even if one fails.
pub(super) fn package(name: &str) -> Command {
    let mut command = cargo();
    command.args(["test", "--no-fail-fast", "--package", name]);
    command
}

/// Runs it. Lines are handed on one by one: a test that hangs is the last one named.
pub(super) fn count(command: &mut Command) -> Result<Tally> {
    let name = shown(command);
    say(&name);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
    let output = child.stdout.take().context("cargo's output is gone")?;
    let tally = copy(BufReader::new(output), stdout())?;
    if !child.wait()?.success() {
        return Ok(tally.of_failure(&name));
    }
    ensure!(tally.passed > 0, "`{name}` ran no test");
    Ok(tally)
}

/// Hands on every line, adds up those that close a test program, and keeps what failed tests said.
fn copy(mut from: impl BufRead, mut to: impl Write) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut complaint = Vec::new();
    let mut line = Vec::new();
    // Bytes, not text: what a failed test prints need not be UTF-8.
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        to.flush()?;
        let text = String::from_utf8_lossy(&line);
        if let Some(counted) = Tally::from_line(&text) {
            tally += counted;
            if !complaint.is_empty() {
                tally.complaints.push(std::mem::take(&mut complaint).concat());
            }
        } else if (text.starts_with("---- ") || !complaint.is_empty()) && complaint.len() < COMPLAINT_LINES {
            complaint.push(text.into_owned());
        }
        line.clear();
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_test_programs_of_a_run_are_counted_and_shown_whatever_they_print() {
        let output = b"running 1 test\n\xff\xfe\ntest result: ok. 1 passed; 0 failed; 0 ignored\n\
            running 7 tests\n\nfailures:\n\n---- five_is_four stdout ----\nit is five\n\n\
            test result: FAILED. 4 passed; 1 failed; 2 ignored\n";
        let mut shown = Vec::new();
        let tally = copy(&output[..], &mut shown).unwrap();
        let complaints = vec!["---- five_is_four stdout ----\nit is five\n\n".to_owned()];
        assert_eq!(tally, Tally { complaints, ..Tally::counted(5, 1, 2) });
        assert_eq!(shown, output);
    }

    #[test]
    fn a_run_that_fails_without_a_count_is_one_failed_test() {
        let tally = count(Command::new("sh").args(["-c", "exit 101"])).unwrap();
        assert_eq!(tally, Tally::failed("`sh -c exit 101` failed".to_owned()));
    }

    #[test]
    fn a_run_without_any_test_proves_nothing() {
        assert_eq!(count(&mut Command::new("true")).unwrap_err().to_string(), "`true` ran no test");
    }
}
