//! For how long the machine didn't let this process run: then nobody can say who was late, a replica or the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Short against any pause that matters, long enough to cost nothing.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A pause that is longer than from one request of a function to the next (at 40 requests a second) makes several of
/// them late at once, as a silent replica does.
pub const LONG_PAUSE: Duration = Duration::from_millis(25);

/// How often at most something is run that is bad while the machine pauses: what a pause did, it will hardly do each
/// time, and what the filter did, it will do again.
pub const RUNS: usize = 3;

/// Looks for pauses until it is asked for the longest.
#[derive(Debug)]
pub struct Pauses {
    is_over: Arc<AtomicBool>,
    watcher: JoinHandle<Duration>,
}

impl Pauses {
    /// Begins to look.
    #[must_use]
    pub fn watch() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let watcher = std::thread::spawn(move || {
            let mut longest = Duration::ZERO;
            while !until.load(Ordering::Relaxed) {
                let slept = Instant::now();
                std::thread::sleep(LOOK_EVERY);
                longest = longest.max(slept.elapsed().saturating_sub(LOOK_EVERY));
            }
            longest
        });
        Self { is_over, watcher }
    }

    /// How much longer than it should the longest sleep took.
    #[must_use]
    pub fn longest(self) -> Duration {
        self.is_over.store(true, Ordering::Relaxed);
        // It can't panic: it only sleeps.
        self.watcher.join().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_pause_is_some_time_but_not_all_of_it() {
        let (pauses, watched) = (Pauses::watch(), Instant::now());
        std::thread::sleep(Duration::from_millis(100));
        let longest = pauses.longest();
        assert!(longest > Duration::ZERO && longest < watched.elapsed(), "{longest:?}");
    }
}
