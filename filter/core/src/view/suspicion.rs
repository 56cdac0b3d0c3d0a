//! Suspicion and trial: a replica is set aside on the first sure sign and let back by a request that it answers.

use std::time::Duration;

use super::{Roles, View};
use crate::time::{Millis, millis};

/// A suspect's first trial: after a blink (a dropped connection) it is back in no time. With half of it a frozen replica
/// costs an extra attempt more, and one request more in the slowest hundredth of the first five seconds.
pub const FIRST_TRIAL_AFTER: Duration = Duration::from_millis(500);

/// A trial that failed makes the wait for the next one this many times as long: the second comes two seconds after the
/// fault, when a container that was started anew is back, the third after six and a half. With a fixed interval a long
/// fault cost twice the extra attempts.
const TRIALS_APART: u64 = 3;

/// Longest wait for a trial: a replica that stays dead costs an extra attempt every 8 s.
pub const LONGEST_TRIAL_WAIT: Duration = Duration::from_secs(8);

/// A replica that gets no requests is led one this often, so that a dead standby is found before it is needed; it also
/// keeps its code warm and its connection open, which is closed after 4 s without a request.
pub const CHECK_STANDBY_EVERY: Duration = Duration::from_secs(3);

/// One that was late with that is looked at again after so long: a pause of the machine is over by then. Of an uneven
/// function one answer in ten is late, and a single one that decided would set a well replica aside every other minute.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// A trial takes a request that may run twice. Where none comes for this long past its time, any request will do:
/// better a rare risk than a well replica that never returns.
const ANY_REQUEST_AFTER: Duration = Duration::from_secs(10);

/// Why and since when a replica is set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspicion {
    /// When it began.
    pub since: Millis,
    /// How many trials it has failed.
    pub failed_trials: u32,
    /// It was silent or late: it may take a request and never answer. Otherwise its connections broke, and trying it
    /// costs next to nothing.
    pub hangs: bool,
}

impl View {
    /// Sets the replica at `place` aside; `hangs` as in [`Suspicion`]. Says whether that was news. A sign that comes
    /// while the replica is aside changes nothing: only trials count.
    pub fn suspect(&mut self, place: usize, hangs: bool, roles: &Roles<'_>, now: Millis) -> bool {
        let Some(replica) = self.replicas.get_mut(place).filter(|replica| replica.suspicion.is_none()) else {
            return false;
        };
        replica.suspicion = Some(Suspicion { since: now, failed_trials: 0, hangs });
        replica.was_late = false;
        replica.next_check = now.after(tuned!(FIRST_TRIAL_AFTER));
        self.assign(roles, now);
        true
    }

    /// The replica at `place` answered: whatever was held against it is over. Says whether anything was.
    pub fn acquit(&mut self, place: usize, roles: &Roles<'_>, now: Millis) -> bool {
        let Some(replica) = self.replicas.get_mut(place) else { return false };
        let was_late = std::mem::take(&mut replica.was_late);
        if replica.suspicion.take().is_none() {
            return was_late;
        }
        replica.well_since = now;
        replica.next_check = now.after(tuned!(CHECK_STANDBY_EVERY));
        self.assign(roles, now);
        true
    }

    /// The replica at `place`, of which nothing else is known, was late when it was led a request to be heard of. Says
    /// whether that was news.
    pub(super) fn doubt(&mut self, place: usize, now: Millis) -> bool {
        let Some(replica) = self.replicas.get_mut(place).filter(|replica| replica.is_well()) else {
            return false;
        };
        replica.next_check = now.after(LOOK_AGAIN_AFTER);
        !std::mem::replace(&mut replica.was_late, true)
    }

    /// A replica that a request should be led to now: a suspect whose trial is due, else one that may not have been
    /// heard of for long ([`Roles::leaves_unheard`]). `may_run_again`: see
    /// [`Terms::allow_repetition`](crate::memory::Terms::allow_repetition).
    #[must_use]
    pub fn due(&self, roles: &Roles<'_>, may_run_again: bool, now: Millis) -> Option<usize> {
        let is_due = |replica: &super::Replica| {
            let grace = if may_run_again { Duration::ZERO } else { ANY_REQUEST_AFTER };
            let may_be_led = replica.suspicion.is_some() || (may_run_again && roles.leaves_unheard(replica));
            self.is_asked(replica) && may_be_led && replica.next_check.after(grace) <= now
        };
        let mut due = self.replicas.iter().enumerate().filter(|(_, replica)| is_due(replica));
        due.clone()
            .find(|(_, replica)| replica.suspicion.is_some())
            .or_else(|| due.next())
            .map(|(place, _)| place)
    }

    /// The earliest time at which [`View::due`] can say anything: lets the request path go without a clock.
    #[must_use]
    pub fn next_due(&self, roles: &Roles<'_>) -> Option<Millis> {
        let asked = self.replicas.iter().filter(|replica| self.is_asked(replica));
        let waiting = asked.filter(|replica| replica.suspicion.is_some() || roles.leaves_unheard(replica));
        waiting.map(|replica| replica.next_check).min()
    }

    /// It may be led a request to be heard of. Another service's replica is tried only where it is needed.
    fn is_asked(&self, replica: &super::Replica) -> bool {
        replica.serving && (!replica.reserve || self.well() == 0)
    }

    /// Claims the check of the replica at `place` for one request, by moving its next one. Says whether it was still
    /// there to claim.
    pub fn claim(&mut self, place: usize, now: Millis) -> bool {
        let Some(replica) = self.replicas.get_mut(place).filter(|replica| replica.next_check <= now) else {
            return false;
        };
        let wait = match &mut replica.suspicion {
            Some(suspicion) => {
                suspicion.failed_trials = suspicion.failed_trials.saturating_add(1);
                trial_wait(suspicion.failed_trials)
            }
            None => tuned!(CHECK_STANDBY_EVERY),
        };
        replica.next_check = now.after(wait);
        true
    }
}

/// How long to wait after `failed` trials. A trial counts as failed from its start: its success ends the suspicion.
fn trial_wait(failed: u32) -> Duration {
    let grown = millis(tuned!(FIRST_TRIAL_AFTER)).saturating_mul(tuned!(TRIALS_APART).saturating_pow(failed));
    Duration::from_millis(grown.min(millis(tuned!(LONGEST_TRIAL_WAIT))))
}
