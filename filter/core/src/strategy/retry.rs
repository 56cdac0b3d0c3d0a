//! `retry`: any well replica, least requests in flight; on failure another one. All of them are active.

use super::Situation;
use crate::lane::Lane;

pub(super) fn order<L: AsRef<Lane>>(situation: &Situation<'_, L>) -> Vec<usize> {
    situation.by_load()
}
