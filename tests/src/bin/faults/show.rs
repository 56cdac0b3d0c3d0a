//! Live progress on standard error: a bar at a terminal, else a line a run.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use steadfaas_tests::load::Progress;
use steadfaas_tests::trial::{Report, Step, Trial};

/// Often enough to look alive, seldom enough to cost nothing.
const PAUSE: Duration = Duration::from_millis(100);

/// What is shown of one run.
pub(crate) struct Show {
    bar: ProgressBar,
}

impl Show {
    /// Of run `number` of `total`.
    pub(crate) fn trial(trial: &Trial, number: usize, total: usize) -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        let fault = trial.fault_name();
        bar.set_prefix(format!("{number}/{total} {fault}, {}", trial.proxy));
        Self { bar }
    }

    pub(crate) fn step(&self, step: Step) {
        match step {
            Step::Begun { requests, progress } => {
                self.bar.set_length(u64::try_from(requests).unwrap_or(u64::MAX));
                tokio::spawn(follow(self.bar.clone(), progress));
            }
            Step::Happened { what, .. } => self.bar.set_message(what),
        }
    }

    pub(crate) fn done(&self, report: &Report) {
        let prefix = self.bar.prefix();
        self.bar.finish_and_clear();
        let seen = &report.seen;
        eprintln!("{prefix}: {} failed, gap {} ms, p99 {} ms", seen.failed, seen.gap_ms, seen.after.p99_ms);
    }
}

/// Moves the bar until the run is done.
async fn follow(bar: ProgressBar, progress: Arc<Progress>) {
    while !bar.is_finished() {
        bar.set_position(u64::try_from(progress.good() + progress.failed()).unwrap_or(u64::MAX));
        tokio::time::sleep(PAUSE).await;
    }
}
