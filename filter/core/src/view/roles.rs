//! Roles: which of the well replicas are active. Follows from the rendezvous order, without needless moves.

use std::time::Duration;

use super::{Replica, View};
use crate::order::{by_key, flagged};
use crate::policy::{Policy, Strategy};
use crate::time::Millis;

/// Failback: a replica that came (back) takes an active one's place, where its rank says so, only after it has been
/// well this long. Till then it stands by, so that one that flaps moves nothing; afterwards all proxies agree again,
/// whatever each of them saw.
pub const FAILBACK_AFTER: Duration = Duration::from_secs(30);

/// What decides roles.
#[derive(Debug, Clone, Copy)]
pub struct Roles<'a> {
    /// The function's name: half of the rendezvous hash.
    pub function: &'a str,
    /// The function's strategy.
    pub strategy: Strategy,
    /// K of the policy.
    pub tolerate: usize,
}

impl<'a> Roles<'a> {
    /// The roles that `policy` asks for.
    #[must_use]
    pub fn of(policy: &'a Policy) -> Self {
        Self { function: &policy.function, strategy: policy.strategy, tolerate: usize::from(policy.tolerate) }
    }

    /// The requests of every day don't tell whether this replica answers: it gets none, or its answers are never
    /// waited for, because another copy started before it.
    pub(super) fn leaves_unheard(&self, replica: &Replica) -> bool {
        !replica.active || self.strategy == Strategy::RequestReplication
    }

    /// How many of `well` replicas are active.
    fn wanted(&self, well: usize) -> usize {
        match self.strategy {
            Strategy::Retry | Strategy::Hedged => well,
            Strategy::ActiveStandby => well.saturating_sub(self.tolerate).max(1),
            Strategy::RequestReplication => self.tolerate + 1,
        }
        .min(well)
    }
}

impl View {
    /// Gives every replica its role anew: the active ones stay if they are well, settled ones go by rank, newcomers
    /// fill up what is left.
    pub(super) fn assign(&mut self, roles: &Roles<'_>, now: Millis) {
        let keyed = self.replicas.iter().enumerate().filter(|(_, replica)| replica.is_well()).map(
            |(place, replica)| {
                let settled = replica.active || now.since(replica.well_since) >= FAILBACK_AFTER;
                (flagged(!settled, !replica.rank), place)
            },
        );
        let mut chosen = by_key(keyed);
        chosen.truncate(roles.wanted(chosen.len()));
        for (place, replica) in self.replicas.iter_mut().enumerate() {
            replica.active = chosen.contains(&place);
        }
    }
}
