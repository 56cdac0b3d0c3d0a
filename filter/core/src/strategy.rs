//! Strategies: `(policy, view, request, now) -> plan`. Each file is one strategy's choice and order of replicas; what
//! all of them share is here.

mod active_standby;
mod hedged;
pub(crate) mod request_replication;
mod retry;
mod waiting;

use std::time::Duration;

pub use request_replication::{LOSSES_TO_SUSPECT, NEXT_START_AFTER};
pub use waiting::{HANGING_PATIENCE, LONGEST_DELAY, PATIENCE, RESTART_PATIENCE};

use crate::lane::Lane;
use crate::memory::Terms;
use crate::order::{by_key, flagged};
use crate::pace::much_later;
use crate::plan::{Plan, Repeat};
use crate::policy::{Policy, Strategy};
use crate::time::{Micros, Millis};
use crate::timer::whole_millis;
use crate::view::{Replica, View};

/// A check is hedged after this long where nothing is known of the function's speed: it goes to a replica that may well
/// be frozen. Longer than nearly every function that is called synchronously takes; a slower one pays one extra attempt
/// a check.
pub const CHECK_HEDGE_AFTER: Duration = Duration::from_millis(100);

/// Replicas that were set aside within this span may have met the same fault, and are equally likely to be back. One
/// that was set aside earlier goes behind: the others were well then. At a hundred requests a second a stall of all is
/// noticed replica by replica within it, and its queue is shared; at fewer there is no queue to share.
pub const SAME_FAULT: Duration = Duration::from_millis(100);

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
    /// What the function's past makes of it.
    pub terms: Terms,
    /// A number that moves on with each request: breaks ties, so that equals take turns.
    pub turn: usize,
    /// The time.
    pub now: Millis,
}

impl<L: AsRef<Lane>> Situation<'_, L> {
    /// The plan for the request. `check`: a replica that it shall be led to, from [`View::due`] and claimed.
    #[must_use]
    pub fn plan(&self, check: Option<usize>) -> Plan {
        let is_race = self.policy.strategy == Strategy::RequestReplication;
        let mut order = match self.policy.strategy {
            Strategy::Retry => retry::order(self),
            Strategy::ActiveStandby => active_standby::order(self),
            Strategy::RequestReplication => request_replication::order(self),
            Strategy::Hedged => hedged::order(self),
        };
        if let Some(place) = check {
            order.retain(|chosen| *chosen != place);
            order.insert(0, place);
        }
        let copies = order.len();
        if is_race && copies < 2 {
            let others = self.by_load().into_iter().filter(|place| !order.contains(place));
            order.extend(others.collect::<Vec<_>>());
        } else if !is_race {
            order = self.apart(order);
        }
        // A copy that is only given its turn runs the usual race; one lost race doesn't condemn it.
        let checked = check.and_then(|place| self.view.replicas.get(place));
        let is_check = checked.is_some_and(|replica| !is_race || !replica.is_well());
        let is_first_look = is_check && checked.is_some_and(|replica| replica.is_well() && !replica.was_late);
        let Terms { reserved, early, is_often_late, .. } = self.terms;
        let mut plan =
            Plan { order, is_check, is_first_look, is_often_late, reserved, early, ..Plan::default() };
        let may_be_all = is_race && self.is_trial_of_broken(check) && self.view.well() < 2;
        match plan.order.len() {
            len if len < 2 || may_be_all => {
                self.wait(&mut plan);
                if may_be_all {
                    plan.repeat = Repeat::AsPolicySays;
                }
            }
            _ if is_race && self.may_repeat && copies > 1 => self.race(&mut plan),
            _ => self.protect(&mut plan),
        }
        plan
    }

    /// The check is the trial of a suspect that broke connections: it may well break this one, too, and whoever else is
    /// thought to be well may have just died with it.
    fn is_trial_of_broken(&self, check: Option<usize>) -> bool {
        let broken = |replica: &Replica| replica.suspicion.is_some() && !replica.hangs();
        self.may_run_again() && check.and_then(|place| self.view.replicas.get(place)).is_some_and(broken)
    }

    /// All copies, one after the other; each of them once: a hedge to a replica that already has the request would
    /// only run it twice there.
    fn race(&self, plan: &mut Plan) {
        plan.order.truncate(usize::from(self.policy.tolerate) + 1);
        plan.repeat = Repeat::AsPolicySays;
        plan.hedge_after = Some(NEXT_START_AFTER);
        plan.max_retries = self.retries(plan.order.len().saturating_sub(1));
    }

    /// One replica, and another one when it fails or is late.
    fn protect(&self, plan: &mut Plan) {
        let mut attempts = self.attempts();
        if self.may_run_again() {
            if self.policy.strategy != Strategy::RequestReplication {
                let reserved = usize::try_from(self.terms.reserved).unwrap_or(usize::MAX);
                attempts = attempts.min(reserved.saturating_add(1));
            }
            plan.repeat = Repeat::AsPolicySays;
            plan.hedge_after = self.delay_of(plan).map(whole_millis);
            plan.max_retries = self.retries(attempts - 1);
        }
        plan.order.truncate(attempts);
        plan.fill(attempts);
    }

    /// After how long the next replica starts. A check of a function whose speed isn't known doesn't wait as long as
    /// others, for its answer may well never come. Where there is little budget left, or the function has too much to
    /// do, only requests that hang are saved, not those that are late.
    fn delay_of(&self, plan: &Plan) -> Option<Duration> {
        match self.terms.delay {
            delay if plan.is_check && self.terms.expected().is_none() => {
                Some(delay.min(tuned!(CHECK_HEDGE_AFTER)))
            }
            delay if plan.is_check => Some(delay),
            delay if self.terms.is_spared || self.terms.is_short => Some(much_later(delay)),
            delay => Some(delay),
        }
    }

    /// The request may run twice, and there is budget for it.
    fn may_run_again(&self) -> bool {
        self.terms.allow_repetition(self.policy.strategy, self.may_repeat)
    }

    fn attempts(&self) -> usize {
        usize::try_from(self.policy.retries()).unwrap_or(usize::MAX).saturating_add(1)
    }

    /// `max_retries`, where it isn't what stands in config.
    fn retries(&self, wanted: usize) -> Option<u32> {
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
        Some(wanted).filter(|wanted| *wanted != self.policy.retries())
    }

    /// The same, but after the first come rather those on other nodes and in other zones: what made it fail may have
    /// struck its whole node. Full ones and another service's stay behind.
    fn apart(&self, mut order: Vec<usize>) -> Vec<usize> {
        let replica = |place: &usize| self.view.replicas.get(*place);
        let Some((first, rest)) = order.split_first() else { return order };
        let Some(first) = replica(first).map(|replica| replica.site) else { return order };
        let shares = |replica: &Replica| replica.site.shares_node(first) || replica.site.shares_zone(first);
        if rest.len() < 2 || !rest.iter().filter_map(replica).any(shares) {
            return order;
        }
        let keyed = rest.iter().enumerate().filter_map(|(rank, place)| {
            let Replica { site, reserve, .. } = replica(place)?;
            let is_full = self.lane(*place).is_some_and(Lane::is_full);
            // Four zeros: a bit for each flag.
            let near = flagged(site.shares_node(first), flagged(site.shares_zone(first), (rank as u64) << 4));
            Some((flagged(*reserve, flagged(is_full, near)), *place))
        });
        let rest = by_key(keyed.collect());
        order.truncate(1);
        order.extend(rest);
        order
    }

    /// The well replicas, active ones first, then the least busy (doubtful ones last); equals take turns. Full ones
    /// come after those that aren't, whatever their role; another service's after all own ones.
    fn by_load(&self) -> Vec<usize> {
        self.sorted(Replica::is_well, |replica, lane, busy| {
            let is_full = lane.is_some_and(Lane::is_full);
            let own = flagged(is_full, flagged(!replica.active && !is_full, flagged(replica.doubtful, busy)));
            flagged(replica.reserve, own)
        })
    }

    /// Suspects: first those that were well not long ago, among them those that were silent, for that may have been a
    /// pause of this machine, before those that failed; the least busy first.
    fn suspects(&self) -> Vec<usize> {
        let since = |replica: &Replica| replica.suspicion.map(|suspicion| suspicion.since);
        let last = self.view.replicas.iter().filter_map(since).max().unwrap_or_default();
        let is_older =
            |replica: &Replica| since(replica).is_some_and(|since| last.since(since) > tuned!(SAME_FAULT));
        self.sorted(
            |replica| replica.serving && !replica.is_well(),
            |replica, _, busy| flagged(is_older(replica), flagged(!replica.hangs(), busy)),
        )
    }

    fn sorted(
        &self,
        fits: impl Fn(&Replica) -> bool,
        key: impl Fn(&Replica, Option<&Lane>, u64) -> u64,
    ) -> Vec<usize> {
        let fitting = || self.view.replicas.iter().enumerate().filter(|(_, replica)| fits(replica));
        // The active ones take turns among themselves: whoever comes after a standby would else have its turn as well.
        let (all, active) = fitting()
            .fold((0, 0), |(all, active), (_, replica)| (all + 1, active + usize::from(replica.active)));
        let turns = if active == 0 { all.max(1) } else { active };
        let (mut rank, mut keyed) = (0, Vec::with_capacity(all));
        for (place, replica) in fitting() {
            let lane = self.lane(place);
            rank += usize::from(replica.active || active == 0);
            let turn = (rank + self.turn) % turns;
            // Four zeros: a bit for each flag.
            let busy = u64::from(lane.map_or(0, Lane::in_flight)) << 32 | (turn as u64) << 4;
            keyed.push((key(replica, lane, busy), place));
        }
        by_key(keyed)
    }

    fn lane(&self, place: usize) -> Option<&Lane> {
        self.lanes.get(place).map(AsRef::as_ref)
    }
}

/// A well replica that has fallen silent, if there is one: whoever plans sets it aside first.
#[must_use]
pub fn silent<L: AsRef<Lane>>(view: &View, lanes: &[L], now: Micros) -> Option<usize> {
    let mut places = view.replicas.iter().zip(lanes);
    places.position(|(replica, lane)| replica.is_well() && lane.as_ref().is_silent(now))
}

#[cfg(test)]
mod tests;
