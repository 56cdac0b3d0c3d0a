//! `active-standby`: the active replicas share the load, the others stand by.
//!
//! The next attempt goes to another active replica first, for it is known to answer: its own requests say so. A
//! standby comes after it, and is what is left in the classic pair.

use super::Situation;
use crate::lane::Lane;

pub(super) fn order<L: AsRef<Lane>>(situation: &Situation<'_, L>) -> Vec<usize> {
    situation.by_load()
}
