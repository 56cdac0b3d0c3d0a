//! When to look again at a namespace where something couldn't be written.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// After the first failure: a conflict is over at once.
const FIRST: Duration = Duration::from_millis(500);

/// After many: an API server that is away or throttles isn't hammered, and not waited for much longer than it takes.
const LONGEST: Duration = Duration::from_secs(30);

/// Namespaces to look at again, and when.
#[derive(Debug, Default)]
pub(super) struct Retries {
    due: HashMap<String, (Instant, Duration)>,
}

impl Retries {
    /// All went well in those that were `looked_at`, but for those that `failed`.
    pub(super) fn note(&mut self, looked_at: &BTreeSet<String>, failed: &BTreeSet<String>, now: Instant) {
        self.due.retain(|namespace, _| failed.contains(namespace) || !looked_at.contains(namespace));
        for namespace in failed {
            let wait = self.due.get(namespace).map_or(FIRST, |(_, wait)| LONGEST.min(*wait * 2));
            self.due.insert(namespace.clone(), (now + wait, wait));
        }
    }

    /// Those whose time has come.
    pub(super) fn due(&self, now: Instant) -> Vec<String> {
        let due = self.due.iter().filter(|(_, (due, _))| *due <= now);
        due.map(|(namespace, _)| namespace.clone()).collect()
    }

    /// When the next one's time comes.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.values().map(|(due, _)| *due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn each_failure_doubles_the_wait_and_a_success_ends_it() {
        let (mut retries, now) = (Retries::default(), Instant::now());
        retries.note(&names(&["a", "b"]), &names(&["a"]), now);
        assert_eq!(retries.next(), Some(now + FIRST));
        assert_eq!(retries.due(now), Vec::<String>::new());
        assert_eq!(retries.due(now + FIRST), ["a"]);
        retries.note(&names(&["b"]), &names(&[]), now);
        assert_eq!(retries.next(), Some(now + FIRST), "that was another namespace");
        retries.note(&names(&["a"]), &names(&["a"]), now);
        assert_eq!(retries.next(), Some(now + FIRST * 2));
        for _ in 0..20 {
            retries.note(&names(&["a"]), &names(&["a"]), now);
        }
        assert_eq!(retries.next(), Some(now + LONGEST));
        retries.note(&names(&["a"]), &names(&[]), now);
        assert_eq!(retries.next(), None);
    }
}
