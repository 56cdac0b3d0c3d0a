//! Strategies: `(policy, view, request, now) -> plan`. Each file is one strategy's choice and order of replicas; what
//! all of them share is here.

mod active_standby;
pub(crate) mod request_replication;
mod retry;

use std::time::Duration;

pub use request_replication::{LOSSES_TO_SUSPECT, NEXT_START_AFTER};

use crate::lane::Lane;
use crate::order::{by_key, flagged};
use crate::plan::Plan;
use crate::policy::{Policy, Strategy};
use crate::time::Millis;
use crate::view::{Replica, View};

/// A check is hedged after this long where the policy says nothing: it goes to a replica that may well be frozen.
/// Longer than nearly every function that is called synchronously takes; a slower one pays one extra attempt a check.
pub const CHECK_HEDGE_AFTER: Duration = Duration::from_millis(100);

/// Everything that a strategy decides from.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a, L> {
    /// The function's policy.
    pub policy: &'a Policy,
    /// What the proxy knows of its replicas.
    pub view: &'a View,
    /// What this worker knows of them, place by place.
    pub lanes: &'a [L],
    /// The request may run twice.
    pub may_repeat: bool,
    /// A number that moves on with each request: breaks ties, so that equals take turns.
    pub turn: usize,
    /// The time; may be as old as the worker's last tick where nothing is due.
    pub now: Millis,
}

impl<L: AsRef<Lane>> Situation<'_, L> {
    /// The plan for the request. `check`: a replica that it shall be led to, from [`View::due`] and claimed.
    #[must_use]
    pub fn plan(&self, check: Option<usize>) -> Plan {
        let mut order = match self.policy.strategy {
            Strategy::Retry => retry::order(self),
            Strategy::ActiveStandby => active_standby::order(self),
            Strategy::RequestReplication => request_replication::order(self),
        };
        if let Some(place) = check {
            order.retain(|chosen| *chosen != place);
            order.insert(0, place);
        }
        // A copy that is only given its turn runs the usual race; one lost race doesn't condemn it.
        let is_race = |place: usize| {
            let replica = self.view.replicas.get(place);
            self.policy.strategy == Strategy::RequestReplication && replica.is_some_and(Replica::is_well)
        };
        let is_check = check.is_some_and(|place| !is_race(place));
        let mut plan = Plan { order, may_repeat: self.may_repeat, is_check, ..Plan::default() };
        self.limit(&mut plan);
        plan
    }

    /// Sets how long and how often the plan's replicas are tried.
    fn limit(&self, plan: &mut Plan) {
        let attempts = usize::try_from(self.policy.retries()).unwrap_or(usize::MAX).saturating_add(1);
        plan.hedge_after = self.hedge_after(plan).filter(|_| self.may_repeat && plan.order.len() > 1);
        if plan.hedge_after.is_some() {
            // Each of them once: a hedge to a replica that already has the request would only run it twice there.
            let copies =
                if self.policy.strategy == Strategy::RequestReplication { attempts - 1 } else { attempts };
            plan.order.truncate(copies);
            let retries = u32::try_from(plan.order.len().saturating_sub(1)).unwrap_or(u32::MAX);
            plan.max_retries = Some(retries).filter(|retries| *retries != self.policy.retries());
        } else {
            plan.order.truncate(attempts);
            plan.fill(attempts);
        }
    }

    fn hedge_after(&self, plan: &Plan) -> Option<Duration> {
        match self.policy.strategy {
            Strategy::RequestReplication => Some(NEXT_START_AFTER),
            _ if plan.is_check => Some(self.policy.hedge_after.unwrap_or(CHECK_HEDGE_AFTER)),
            _ => self.policy.hedge_after,
        }
    }

    /// The well replicas, active ones first, then the least busy (doubtful ones last); equals take turns.
    fn by_load(&self) -> Vec<usize> {
        let count = self.view.replicas.len().max(1);
        let well = self.view.replicas.iter().enumerate().filter(|(_, replica)| replica.is_well());
        by_key(well.map(|(place, replica)| {
            let busy = u64::from(self.lane(place).map_or(0, Lane::in_flight));
            let turn = (place + self.turn) % count;
            let by_load = flagged(replica.doubtful, busy << 32 | (turn as u64) << 2);
            (flagged(!replica.active, by_load), place)
        }))
    }

    fn lane(&self, place: usize) -> Option<&Lane> {
        self.lanes.get(place).map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests;
