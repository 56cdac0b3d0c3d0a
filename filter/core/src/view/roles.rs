//! Roles: which of the well replicas are active. Follows from the rendezvous order, without needless moves.

use std::time::Duration;

use super::{Replica, View};
use crate::order::by_key;
use crate::policy::{Placement, Policy, Strategy};
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
    /// Where replicas are.
    pub placement: &'a Placement,
}

impl<'a> Roles<'a> {
    /// The roles that `policy` asks for.
    #[must_use]
    pub fn of(policy: &'a Policy) -> Self {
        Self {
            function: &policy.function,
            strategy: policy.strategy,
            tolerate: usize::from(policy.tolerate),
            placement: &policy.placement,
        }
    }

    /// The requests of every day don't tell whether this replica answers: it gets none, or its answers are never
    /// waited for, because another copy started before it. Another service's get none just to be heard: it may be far
    /// away, or do less.
    pub(super) fn leaves_unheard(&self, replica: &Replica) -> bool {
        !replica.reserve && (!replica.active || self.strategy == Strategy::RequestReplication)
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
    /// Gives every replica its role anew: the active ones stay if they are well, settled ones go by rank, spread over
    /// nodes, newcomers fill up what is left. Another service's replicas have a role where no own one is well.
    pub(super) fn assign(&mut self, roles: &Roles<'_>, now: Millis) {
        let on_reserve = self.well() == 0;
        let settled = |replica: &Replica| replica.active || now.since(replica.well_since) >= FAILBACK_AFTER;
        let ranked = |of_settled| {
            let fits = move |replica: &Replica| {
                replica.is_well() && replica.reserve == on_reserve && settled(replica) == of_settled
            };
            let fitting = self.replicas.iter().enumerate().filter(move |(_, replica)| fits(replica));
            by_key(fitting.map(|(place, replica)| (!replica.rank, place)).collect())
        };
        let (old, new) = (ranked(true), ranked(false));
        let wanted = roles.wanted(old.len() + new.len());
        let newcomers = wanted.saturating_sub(old.len());
        let mut chosen = self.spread(old, wanted);
        chosen.extend(new.into_iter().take(newcomers));
        for (place, replica) in self.replicas.iter_mut().enumerate() {
            replica.active = chosen.contains(&place);
            // What it was late with as a standby says nothing once requests come to it anyway.
            replica.was_late &= !replica.active;
        }
    }
}
