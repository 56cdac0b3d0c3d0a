//! `request-replication`: K + 1 replicas get each request, one millisecond apart; the first good answer wins.
//!
//! Losing means little, for somebody has to. But a replica that started first and lost lets another one go first: a
//! connection that can't be opened holds up the replicas behind it, as Envoy's timer starts once a request is sent.
//! It is given another start now and then, and is set aside when it has lost several of those without winning once,
//! be it as the second, in between.

use std::time::Duration;

use super::Situation;
use crate::lane::Lane;
use crate::order::{by_key, flagged};
use crate::time::Millis;

/// The next replica starts this long after the one before: the shortest that Envoy's per-try timeout knows. Requests
/// that are answered sooner cost no second run.
pub const NEXT_START_AFTER: Duration = Duration::from_millis(1);

/// How many starts lost in a row set a replica aside. With [`ANOTHER_START_AFTER`] that is about a second in which it
/// answered nothing first, which a well replica with whatever spread of latency doesn't manage.
pub const LOSSES_TO_SUSPECT: u32 = 4;

/// A replica that lost starts behind the others for this long.
const ANOTHER_START_AFTER: Duration = Duration::from_millis(250);

pub(super) fn order<L: AsRef<Lane>>(situation: &Situation<'_, L>) -> Vec<usize> {
    let active = situation.view.replicas.iter().enumerate().filter(|(_, replica)| replica.active);
    let keyed = active.map(|(place, replica)| {
        let behind = situation.lane(place).is_some_and(|lane| is_behind(lane, situation.now));
        (flagged(behind, !replica.rank), place)
    });
    let order = by_key(keyed.collect());
    if let Some(first) =
        order.first().and_then(|place| situation.lane(*place)).filter(|lane| lane.is_losing())
    {
        // Counted as lost from its start, so that all requests of this moment count once; winning makes it undone.
        first.lost(situation.now);
    }
    order
}

fn is_behind(lane: &Lane, now: Millis) -> bool {
    lane.is_losing() && now.since(lane.last_loss()) < ANOTHER_START_AFTER
}

/// Takes in who won a race. `failover`: it wasn't `first`. Says whether `first` is to be set aside.
pub(crate) fn raced(first: &Lane, winner: &Lane, failover: bool, now: Millis) -> bool {
    winner.won();
    if failover && first.losses() == 0 {
        first.lost(now);
    }
    failover && first.losses() >= LOSSES_TO_SUSPECT
}
