//! Taking in what one request has taught.

use super::{Roles, View};
use crate::outcome::Lessons;
use crate::time::Millis;

/// What a view has made of some lessons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Learned {
    /// Something is another way now.
    pub changed: bool,
    /// How many replicas were set aside that were not before.
    pub set_aside: u64,
}

impl View {
    /// Takes in `lessons` from a request that was planned with `planned_with`: replicas that have left since are let go.
    pub fn take_in(
        &mut self,
        planned_with: &Self,
        lessons: &Lessons,
        roles: &Roles<'_>,
        now: Millis,
    ) -> Learned {
        let mut learned = Learned::default();
        let address = |place: usize| planned_with.replicas.get(place).map(|replica| replica.address.as_str());
        for suspect in lessons.suspects.iter().filter_map(|place| address(*place)) {
            if self.find(suspect).is_some_and(|place| self.suspect(place, lessons.hang, roles, now)) {
                learned.set_aside += 1;
            }
        }
        let late = lessons.late.and_then(address).and_then(|address| self.find(address));
        let is_doubted = late.is_some_and(|place| self.doubt(place, now));
        let acquitted = lessons.acquitted.and_then(address).and_then(|address| self.find(address));
        let cleared = acquitted.is_some_and(|place| self.acquit(place, roles, now));
        learned.changed = cleared || is_doubted || learned.set_aside > 0;
        learned
    }
}
