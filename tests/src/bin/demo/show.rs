//! Live progress on standard error: a bar a run at a terminal, else a line whenever something happens.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use steadfaas_tests::load::Progress;
use steadfaas_tests::trial::{Act, Event, Report, Step, Trial};

use crate::words;

/// Often enough to look alive, seldom enough to cost nothing.
const PAUSE: Duration = Duration::from_millis(100);

/// What is shown of one run.
pub(crate) struct Show {
    title: String,
    events: Vec<Event>,
    bar: ProgressBar,
}

impl Show {
    /// Of run `number` of `total`.
    pub(crate) fn trial(trial: &Trial, number: usize, total: usize) -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{prefix}\n  {bar:30} {msg}") {
            bar.set_style(style);
        }
        let title = format!("{number}/{total} {}", words::label(&trial.proxy));
        let show = Self { title, events: trial.events.clone(), bar };
        show.say("starting");
        show
    }

    pub(crate) fn step(&self, step: Step) {
        match step {
            Step::Begun { requests, progress } => {
                self.bar.set_length(u64::try_from(requests).unwrap_or(u64::MAX));
                self.say("all replicas are well");
                tokio::spawn(follow(self.bar.clone(), progress));
            }
            Step::Happened { at, what } => {
                let act = self.events.iter().find(|event| event.at == at).map(|event| event.act);
                self.say(&happened(at, &what, act));
            }
        }
    }

    /// What is happening now.
    fn say(&self, what: &str) {
        let line = format!("{}: {what}", self.title);
        if self.bar.is_hidden() {
            eprintln!("{line}");
        }
        self.bar.set_prefix(line);
    }

    pub(crate) fn done(&self, report: &Report) {
        self.bar.finish_and_clear();
        let (title, seen) = (&self.title, &report.seen);
        let worst = seen.series.iter().map(|second| second.p99).fold(0.0, f64::max);
        eprintln!(
            "{title}: {} of {} failed, longest gap {:.0} ms, p99 of the worst second {worst:.0} ms",
            seen.failed, seen.requests, seen.gap_ms
        );
    }
}

/// An event in words: which replica, as the test bed says it, and what that means.
fn happened(at: Duration, what: &str, act: Option<Act>) -> String {
    let second = at.as_secs_f64();
    match act {
        Some(Act::Strike(fault)) => format!("second {second}: {what} ({})", words::meaning(fault)),
        Some(Act::Undo) | None => format!("second {second}: {what}"),
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

#[cfg(test)]
mod tests {
    use steadfaas_tests::trial::Fault;

    use super::*;

    #[test]
    fn an_event_says_when_to_whom_and_what_it_means() {
        let act = Some(Act::Strike(Fault::Freeze));
        assert_eq!(
            happened(Duration::from_secs(6), "freeze strikes replica 2", act),
            "second 6: freeze strikes replica 2 (SIGSTOP: it accepts connections and never answers)"
        );
        let back = happened(Duration::from_millis(4_500), "replica 1 is back after kill", Some(Act::Undo));
        assert_eq!(back, "second 4.5: replica 1 is back after kill");
    }
}
