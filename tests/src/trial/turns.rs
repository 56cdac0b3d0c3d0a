//! One run after another, with something to look at meanwhile.

use std::time::Duration;

use serde::Serialize;

use super::{Report, Step, Trial};

/// What a run takes beside its load: replicas and proxy start, connections open, the last requests end.
const AROUND: Duration = Duration::from_secs(2);

/// Where a run stands among all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Its number, from 1.
    pub number: usize,
    /// How many there are.
    pub total: usize,
    /// How long it and those after it take, roughly.
    pub left: Duration,
}

/// What people look at while a run goes on.
pub trait Show {
    /// The run is to begin.
    fn begin(trial: &Trial, turn: Turn) -> Self;
    /// It has come so far.
    fn step(&self, step: Step);
    /// It is over.
    fn done(&self, report: &Report);
}

impl Trial {
    /// How long it takes, roughly.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds) + AROUND
    }
}

/// Runs all trials in their order, and hands each report, with its trial's place among them, to `told` as soon as it
/// is there.
///
/// # Errors
/// One of them can't be run, or `told` fails.
pub async fn take_turns<S: Show>(
    trials: &[Trial],
    mut told: impl FnMut(usize, &Report) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Report>> {
    let mut reports = Vec::new();
    for (index, trial) in trials.iter().enumerate() {
        let left = trials.iter().skip(index).map(Trial::duration).sum();
        let show = S::begin(trial, Turn { number: index + 1, total: trials.len(), left });
        let report = trial.run(&mut |step| show.step(step)).await?;
        show.done(&report);
        told(index, &report)?;
        reports.push(report);
    }
    Ok(reports)
}

/// One object on a line of its own.
///
/// # Errors
/// It can't be written as JSON.
pub fn print_json(object: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(object)?);
    Ok(())
}
