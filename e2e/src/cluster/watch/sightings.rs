//! How many replicas somebody took for well, and since when.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What was seen so far; a clone sees the same.
#[derive(Debug, Clone, Default)]
pub struct Sightings(Arc<Mutex<Vec<Seen>>>);

#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    well: usize,
}

impl Sightings {
    /// So many are well now.
    pub(super) fn add(&self, well: usize) {
        let seen = Seen { at: Instant::now(), well };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }

    /// When fewer than `count` replicas were well for the first time after `moment`.
    #[must_use]
    pub fn fewer_than(&self, count: usize, moment: Instant) -> Option<Instant> {
        self.find(moment, |well| well < count)
    }

    /// When there were `count` again, after there had been fewer.
    #[must_use]
    pub fn restored(&self, count: usize, moment: Instant) -> Option<Instant> {
        self.find(self.fewer_than(count, moment)?, |well| well >= count)
    }

    fn find(&self, moment: Instant, fits: impl Fn(usize) -> bool) -> Option<Instant> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().find(|seen| seen.at >= moment && fits(seen.well)).map(|seen| seen.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_and_came_back_has_both_moments() {
        let sightings = Sightings::default();
        let began = Instant::now();
        for well in [2, 1, 2] {
            sightings.add(well);
        }
        let (lost, back) = (sightings.fewer_than(2, began), sightings.restored(2, began));
        assert!(lost.is_some() && lost < back, "{lost:?} {back:?}");
    }

    #[test]
    fn what_was_never_lost_never_came_back() {
        let sightings = Sightings::default();
        let began = Instant::now();
        sightings.add(2);
        assert_eq!((sightings.fewer_than(2, began), sightings.restored(2, began)), (None, None));
    }
}
