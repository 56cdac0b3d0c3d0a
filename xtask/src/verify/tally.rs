//! Counting tests: what libtest says at the end of each test program, added up.

use std::ops::AddAssign;

/// How many tests passed, failed, and were left out by their own word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) ignored: u64,
    /// What those that failed said, for the end of a long output: not one for each, where one of them tells of many.
    pub(super) complaints: Vec<String>,
}

impl Tally {
    /// A check that has no tests of its own and held.
    pub(super) const PASSED: Self = Self::counted(1, 0, 0);

    /// Numbers alone.
    pub(super) const fn counted(passed: u64, failed: u64, ignored: u64) -> Self {
        Self { passed, failed, ignored, complaints: Vec::new() }
    }

    /// A check that has no tests of its own and didn't hold, or tests that couldn't be run.
    pub(super) fn failed(complaint: String) -> Self {
        Self { complaints: vec![complaint], ..Self::counted(0, 1, 0) }
    }

    /// The same for this reason, which is said now, too.
    pub(super) fn of_error(error: &anyhow::Error) -> Self {
        eprintln!("error: {error:#}");
        Self::failed(format!("{error:#}"))
    }

    /// Reads `test result: ok. 12 passed; 0 failed; 1 ignored; …`; any other line is none.
    pub(super) fn from_line(line: &str) -> Option<Self> {
        let (_, counts) = line.trim_start().strip_prefix("test result: ")?.split_once(". ")?;
        let mut tally = Self::default();
        for count in counts.split("; ") {
            match count.trim_end().split_once(' ') {
                Some((number, "passed")) => tally.passed = number.parse().ok()?,
                Some((number, "failed")) => tally.failed = number.parse().ok()?,
                Some((number, "ignored")) => tally.ignored = number.parse().ok()?,
                _ => {}
            }
        }
        Some(tally)
    }

    /// The tally of a run that ended badly: a program that didn't compile or was killed counts as one failed test.
    pub(super) fn of_failure(mut self, command: &str) -> Self {
        self.failed = self.failed.max(1);
        if self.complaints.is_empty() {
            self.complaints.push(format!("`{command}` failed"));
        }
        self
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        self.complaints.extend(other.complaints);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtests_closing_line_is_read() {
        let line =
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.10s";
        assert_eq!(Tally::from_line(line), Some(Tally::counted(12, 0, 1)));
    }

    #[test]
    fn a_failed_closing_line_is_read() {
        let line = "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(Tally::from_line(line), Some(Tally::counted(3, 2, 0)));
    }

    #[test]
    fn other_lines_are_no_tally() {
        for line in
            ["", "test result: ok", "test a::b ... ok", "running 3 tests", "the test result: ok. 3 passed"]
        {
            assert_eq!(Tally::from_line(line), None, "{line}");
        }
    }

    #[test]
    fn a_program_that_did_not_compile_counts_as_one_failed_test() {
        let none = Tally::default().of_failure("cargo test");
        assert_eq!(none, Tally::failed("`cargo test` failed".to_owned()));
        let two = Tally { complaints: vec!["a and b failed".to_owned()], ..Tally::counted(5, 2, 0) };
        assert_eq!(two.clone().of_failure("cargo test"), two);
    }

    #[test]
    fn tallies_add_up() {
        let mut sum = Tally::PASSED;
        sum += Tally::counted(2, 1, 4);
        assert_eq!(sum, Tally::counted(3, 1, 4));
    }
}
