//! The end of `cargo verify`: what failed, a table of the parts, then the count alone on the last line.

use std::fmt;
use std::time::Duration;

use super::part::Outcome;
use super::tally::Tally;

/// A part that is over.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) took: Duration,
    pub(super) outcome: Outcome,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, took, outcome } = self;
        match outcome {
            Outcome::NotRun(why) => write!(f, "{name:<15} not run: {why}"),
            Outcome::Counted(Tally { passed, failed, ignored, .. }) => {
                let seconds = took.as_secs_f64();
                write!(f, "{name:<15} {seconds:>6.1} s {passed:>5} passed {failed:>4} failed")?;
                if *ignored > 0 { write!(f, " {ignored:>4} ignored") } else { Ok(()) }
            }
        }
    }
}

/// All parts that are over.
#[derive(Debug, Default)]
pub(super) struct Summary {
    rows: Vec<Row>,
}

impl Summary {
    pub(super) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(super) fn total(&self) -> Tally {
        let mut total = Tally::default();
        for row in &self.rows {
            if let Outcome::Counted(Tally { passed, failed, ignored, .. }) = row.outcome {
                total += Tally::counted(passed, failed, ignored);
            }
        }
        total
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            if let Outcome::Counted(Tally { complaints, .. }) = &row.outcome {
                complaints.iter().try_for_each(|complaint| {
                    writeln!(f, "\n== {} failed:\n{}", row.name, complaint.trim_end())
                })?;
            }
        }
        writeln!(f)?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        let Tally { passed, failed, .. } = self.total();
        // This form, alone on the last line, is what CI reads.
        writeln!(f, "\n{passed} passed, {failed} failed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, outcome: Outcome) -> Row {
        Row { name, took: Duration::from_millis(2500), outcome }
    }

    #[test]
    fn the_last_line_is_the_count_alone() {
        let mut summary = Summary::default();
        summary.add(row("format", Outcome::Counted(Tally::PASSED)));
        summary.add(row("core", Outcome::Counted(Tally::counted(40, 2, 0))));
        assert_eq!(summary.to_string().lines().last(), Some("41 passed, 2 failed"));
    }

    #[test]
    fn what_failed_is_said_again_with_the_name_of_its_part() {
        let mut summary = Summary::default();
        summary.add(row("core", Outcome::Counted(Tally::failed("five isn't four\n".to_owned()))));
        let text = summary.to_string();
        assert!(text.starts_with("\n== core failed:\nfive isn't four\n\ncore  "), "{text}");
    }

    #[test]
    fn a_part_that_did_not_run_counts_as_nothing_and_says_why() {
        let mut summary = Summary::default();
        summary.add(row("e2e", Outcome::NotRun("it needs root".to_owned())));
        assert_eq!(summary.total(), Tally::default());
        assert!(summary.to_string().contains("e2e             not run: it needs root"), "{summary}");
    }

    #[test]
    fn a_row_tells_time_and_counts() {
        let tally = Tally::counted(7, 1, 2);
        let text = row("core", Outcome::Counted(tally)).to_string();
        assert_eq!(text, "core               2.5 s     7 passed    1 failed    2 ignored");
    }
}
