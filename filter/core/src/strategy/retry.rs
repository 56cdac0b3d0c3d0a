//! `retry`: any well replica, least requests in flight; on failure another one.

use super::Situation;
use crate::lane::Lane;
use crate::view::Replica;

pub(super) fn order<L: AsRef<Lane>>(situation: &Situation<'_, L>) -> Vec<usize> {
    situation.by_load(Replica::is_well)
}
