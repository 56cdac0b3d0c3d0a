//! `hedged`: any well replica, least requests in flight; the next one starts when the first is among the slowest that
//! the budget has room for. The delay is the pace's ([`crate::pace::Pace::eager_delay`]).

use super::Situation;
use crate::lane::Lane;

pub(super) fn order<L: AsRef<Lane>>(situation: &Situation<'_, L>) -> Vec<usize> {
    situation.by_load()
}
