//! Waiting: what is done where one replica at most is known to be well.
//!
//! Replicas whose connections break cost nothing to try: the request waits, and is tried again ever more rarely until
//! one takes it. Those that may take a request and never answer are tried as well, but not in a hurry: if they are all
//! like that, the function itself has become slow, and running everything twice would make it slower.

use std::time::Duration;

use super::Situation;
use crate::lane::Lane;
use crate::pace::much_later;
use crate::plan::{Plan, Repeat};
use crate::view::Replica;

/// How often a request that no replica takes is tried again before it fails. With a back-off that doubles from 1 ms to
/// 1 s, jittered, that is about ten seconds: five times what a container needs to start anew.
pub const PATIENCE: u32 = 30;

/// The same for a request that its replica may have been at when the connection broke: it runs again each time that
/// happens. Five and a half seconds on average, and hardly ever less than the two that a container needs to start anew: each
/// wait is drawn from zero on, so that 16 tries were over too soon once in some thirty times. A request that breaks its only
/// replica runs that often once; then the replica is suspect, and those after it aren't sent again.
pub const RESTART_PATIENCE: u32 = 20;

/// The same where one is well and others may hang: the next attempt also starts when the one before stays unanswered
/// for much longer than usual. With connections that time out after 100 ms that is about three seconds.
pub const HANGING_PATIENCE: u32 = 12;

/// How many tries of a request that no replica is known to be well for go to the suspects in turn: with the back-off
/// those of the first five seconds, so that whoever is back first is met by the next round. Drawn by load it may not be
/// met at all, for a replica that refuses is always the less busy one. The tries after that are Envoy's to choose:
/// by then there may be replicas that nobody knew when the request came.
const IN_TURN: usize = 20;

/// The hedge delay where every replica is suspect. What stalls all of them at once, a pause of their machine say, is over
/// within this time or is no pause; hedges into it would only lengthen the queues that are to be worked off then. Where
/// one comes back and the others don't, a request that waits for one of those waits that much longer, if the budget has
/// another attempt for it at all.
pub const LONGEST_DELAY: Duration = Duration::from_secs(2);

impl<L: AsRef<Lane>> Situation<'_, L> {
    /// The request goes to the one well replica, if there is one, or to any, and waits until it is taken.
    pub(super) fn wait(&self, plan: &mut Plan) {
        let replica = |place: &usize| self.view.replicas.get(*place);
        plan.is_desperate = !plan.order.iter().filter_map(replica).any(Replica::is_well);
        let first = plan.first();
        let suspects = self.suspects();
        let is_any = |fits: fn(&Replica) -> bool| suspects.iter().filter_map(replica).any(fits);
        let may_run_again = self.may_run_again();
        let hedges = may_run_again && is_any(Replica::hangs);
        let may_one_be_back = is_any(Replica::may_have_paused);
        if hedges || (may_run_again && !plan.is_desperate) {
            plan.repeat = Repeat::WhenBroken;
        }
        if hedges || plan.is_desperate {
            plan.order.extend(suspects.into_iter().filter(|place| Some(*place) != first));
            plan.order.truncate(self.attempts());
        }
        plan.max_retries = Some(if hedges && plan.order.len() > 1 {
            plan.is_last_resort = !plan.is_desperate;
            // The first may well be dead: a 503 of its sidecar is no reason not to ask those that were only silent, unless they
            // have been so for long and the first is only busy.
            if plan.is_check || may_one_be_back {
                plan.repeat = Repeat::AsPolicySays;
            }
            let delay = if plan.is_desperate { tuned!(LONGEST_DELAY) } else { much_later(self.terms.delay) };
            plan.hedge_after = Some(delay);
            if plan.is_desperate { PATIENCE } else { tuned!(HANGING_PATIENCE) }
        } else {
            self.take_turns(plan);
            if plan.repeat == Repeat::WhenBroken { RESTART_PATIENCE } else { PATIENCE }
        });
    }

    /// Suspects that cost nothing to try are asked one after the other, round after round. One that is well keeps its
    /// request: a late connection to it is no reason to ask those that aren't.
    fn take_turns(&self, plan: &mut Plan) {
        if !plan.is_desperate && self.view.well() < self.view.replicas.len() {
            plan.fill(self.attempts());
        } else if plan.order.len() > 1 {
            plan.order = plan.order.iter().copied().cycle().take(IN_TURN).collect();
        }
    }
}
