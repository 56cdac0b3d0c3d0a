//! Live progress on standard error: a bar at a terminal, and a line for each run that is done.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use steadfaas_tests::load::Progress;
use steadfaas_tests::trial::{self, Report, Step, Trial, Turn};

/// Often enough to look alive, seldom enough to cost nothing.
const PAUSE: Duration = Duration::from_millis(100);

/// What is shown of a run, or of several rounds.
pub(crate) struct Show {
    bar: ProgressBar,
}

impl trial::Show for Show {
    fn begin(trial: &Trial, turn: Turn) -> Self {
        let bar = bar(0);
        let Turn { number, total, left } = turn;
        bar.set_prefix(format!(
            "{number}/{total} {}, {} ({} s left)",
            trial.name,
            trial.proxy,
            left.as_secs()
        ));
        Self { bar }
    }

    fn step(&self, step: Step) {
        match step {
            Step::Begun { requests, progress } => {
                self.bar.set_length(u64::try_from(requests).unwrap_or(u64::MAX));
                tokio::spawn(follow(self.bar.clone(), progress));
            }
            Step::Happened { what, .. } => self.bar.set_message(what),
        }
    }

    fn done(&self, report: &Report) {
        let prefix = self.bar.prefix();
        self.close();
        let seen = &report.seen;
        eprintln!("{prefix}: {} failed, gap {} ms, p99 {} ms", seen.failed, seen.gap_ms, seen.after.p99_ms);
    }
}

impl Show {
    /// Of the rounds of `--steady`.
    pub(crate) fn rounds(rounds: usize) -> Self {
        let bar = bar(rounds);
        bar.set_prefix("rounds");
        Self { bar }
    }

    pub(crate) fn round(&self, round: usize) {
        self.bar.set_position(u64::try_from(round).unwrap_or(u64::MAX));
    }

    pub(crate) fn close(&self) {
        self.bar.finish_and_clear();
    }
}

fn bar(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Moves the bar until the run is done.
async fn follow(bar: ProgressBar, progress: Arc<Progress>) {
    while !bar.is_finished() {
        bar.set_position(u64::try_from(progress.good() + progress.failed()).unwrap_or(u64::MAX));
        tokio::time::sleep(PAUSE).await;
    }
}
