//! What the function counts of itself: what reached it, what it ran, and whether anybody waited for the answer.

mod file;
mod ids;

use std::collections::BTreeMap;
use std::ops::Add;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use file::CountsFile;
use ids::Ids;

/// Requests to the function; those to `/healthz`, `/stats` and `/fault` don't count.
///
/// Each run ends as `useful` or as `late`, so `executions - useful - late` are under way, or were when the process was
/// killed; `received - executions - dropped` wait for a worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests that were written to this replica and read by it.
    pub received: u64,
    /// Runs begun. A run is never stopped by its client's going, as in most servers.
    pub executions: u64,
    /// Runs whose answer was ready while somebody waited for it.
    pub useful: u64,
    /// Runs that ended when nobody waited any more: by then the client's connection was closed, or its HTTP/2 stream
    /// reset.
    pub late: u64,
    /// Requests that were not run, because their deadline had passed when a worker was free for them.
    #[serde(default)]
    pub dropped: u64,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            received: self.received + other.received,
            executions: self.executions + other.executions,
            useful: self.useful + other.useful,
            late: self.late + other.late,
            dropped: self.dropped + other.dropped,
        }
    }
}

/// What `/stats` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The counts.
    #[serde(flatten)]
    pub counts: Counts,
    /// Runs begun by `x-request-id`, with `?ids=1`: the newest 65,536 ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ids: BTreeMap<String, u32>,
}

/// Counts while the function runs.
#[derive(Debug, Default)]
pub struct Stats {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    counts: Counts,
    ids: Ids,
    file: Option<CountsFile>,
}

impl Stats {
    /// Counts from zero, and writes each change to the file at `path`, where one is given.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn new(path: Option<&Path>) -> std::io::Result<Self> {
        let file = path.map(CountsFile::create).transpose()?;
        Ok(Self { state: Mutex::new(State { file, ..State::default() }) })
    }

    /// A request was read.
    pub fn received(&self) {
        self.change(|state| state.counts.received += 1);
    }

    /// A run begins, for the request of this id.
    pub fn begun(&self, id: Option<&str>) {
        self.change(|state| {
            state.counts.executions += 1;
            if let Some(id) = id {
                state.ids.count(id);
            }
        });
    }

    /// A run ended, while somebody waited for it or not.
    pub fn ended(&self, waited_for: bool) {
        self.change(|state| if waited_for { state.counts.useful += 1 } else { state.counts.late += 1 });
    }

    /// A request was not run: nobody waits for it any more.
    pub fn dropped(&self) {
        self.change(|state| state.counts.dropped += 1);
    }

    /// Everything so far.
    #[must_use]
    pub fn report(&self, with_ids: bool) -> Report {
        let state = self.state();
        let ids = if with_ids { state.ids.to_map() } else { BTreeMap::new() };
        Report { counts: state.counts, ids }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        let counts = state.counts;
        if let Some(file) = &mut state.file {
            file.write(&counts);
        }
    }

    /// A panic while counting would leave whole numbers: they are good to go on with.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_ends_useful_or_late() {
        let stats = Stats::default();
        for waited_for in [true, true, false] {
            stats.received();
            stats.begun(Some("a"));
            stats.ended(waited_for);
        }
        let report = stats.report(true);
        assert_eq!(report.counts, Counts { received: 3, executions: 3, useful: 2, late: 1, dropped: 0 });
        assert_eq!(report.ids, BTreeMap::from([("a".to_owned(), 3)]));
    }

    #[test]
    fn the_file_always_holds_the_latest_counts() {
        let path = std::env::temp_dir().join(format!("fib-counts-test-{}", std::process::id()));
        let stats = Stats::new(Some(&path)).unwrap();
        for _ in 0..12 {
            stats.received();
            let written: Counts = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(written, stats.report(false).counts);
        }
        std::fs::remove_file(&path).unwrap();
    }
}
