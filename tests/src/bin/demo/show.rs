//! Live progress on standard error: a bar a run at a terminal, else a line whenever something happens.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use steadfaas_tests::load::Progress;
use steadfaas_tests::trial::{self, Report, Step, Trial, Turn};

use crate::words;

/// Often enough to look alive, seldom enough to cost nothing.
const PAUSE: Duration = Duration::from_millis(100);

/// What is shown of one run.
pub(crate) struct Show {
    title: String,
    bar: ProgressBar,
}

impl trial::Show for Show {
    fn begin(trial: &Trial, turn: Turn) -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{prefix}\n  {bar:30} {msg}") {
            bar.set_style(style);
        }
        let title = format!("{}/{} {}", turn.number, turn.total, words::name(&trial.proxy));
        let show = Self { title, bar };
        show.say("starting");
        show
    }

    fn step(&self, step: Step) {
        match step {
            Step::Begun { requests, progress } => {
                self.bar.set_length(u64::try_from(requests).unwrap_or(u64::MAX));
                self.say("all replicas are well");
                tokio::spawn(follow(self.bar.clone(), progress));
            }
            Step::Happened { at, what } => self.say(&format!("second {}: {what}", at.as_secs_f64())),
        }
    }

    fn done(&self, report: &Report) {
        self.bar.finish_and_clear();
        let (title, seen) = (&self.title, &report.seen);
        let worst = seen.series.iter().map(|second| second.p99).fold(0.0, f64::max);
        eprintln!(
            "{title}: {} of {} failed, longest gap {:.0} ms, p99 of the worst second {worst:.0} ms",
            seen.failed, seen.requests, seen.gap_ms
        );
    }
}

impl Show {
    /// What is happening now.
    fn say(&self, what: &str) {
        let line = format!("{}: {what}", self.title);
        if self.bar.is_hidden() {
            eprintln!("{line}");
        }
        self.bar.set_prefix(line);
    }
}

/// Moves the bar until the run is done.
async fn follow(bar: ProgressBar, progress: Arc<Progress>) {
    while !bar.is_finished() {
        let (good, failed) = (progress.good(), progress.failed());
        let waiting = progress.sent().saturating_sub(good + failed);
        bar.set_position(u64::try_from(good + failed).unwrap_or(u64::MAX));
        bar.set_message(format!("{good} completed, {failed} failed, {waiting} waiting"));
        tokio::time::sleep(PAUSE).await;
    }
}
