//! What one worker remembers of one function beside its replicas: the pace of each kind of request, the budget, and
//! whether the function has said that it has too much to do.

mod hearsay;

use std::time::Duration;

pub use hearsay::TELL_EVERY;

use crate::budget::{BURST_IN_DELAYS, Budget};
use crate::lane::Expected;
use crate::outcome::{End, Outcome};
use crate::pace::{COLD_DELAY, Pace};
use crate::plan::Plan;
use crate::policy::{Policy, Strategy};
use crate::strategy::NEXT_START_AFTER;
use crate::time::Millis;
use crate::timer::{TIMER_UNIT, UNWATCHED};

/// Kinds of requests that a function's pace is kept for. A function with more methods and paths than this keeps the
/// rest together: one of theirs is late when it is later than most of the rest.
pub const KINDS: usize = 8;

/// A kind that had none of this many requests makes room for a new one.
const FORGOTTEN_AFTER: u64 = 4_096;

/// How long a function that said 429 or 503 to a client is spared hedges: a queue of a few requests is worked off by
/// then. Failures are tried again all the same, for one client's limit must not cost the others their protection.
pub const SPARED_FOR: Duration = Duration::from_secs(1);

/// What the function's past makes of one request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// After how long it is later than usual, and the next replica starts.
    pub delay: Duration,
    /// How much earlier than that the next replica's answer may be there, timers being what they are.
    pub early: Duration,
    /// After how long its replica's silence is a sign.
    pub silence: Duration,
    /// The function has just said that it has too much to do: no reason to send more of the same.
    pub is_spared: bool,
    /// How many extra attempts it has reserved.
    pub reserved: u32,
    /// Little is left of the budget: for requests that hang.
    pub is_short: bool,
    /// The function is often late: that says less of its replica.
    pub is_often_late: bool,
}

impl Terms {
    /// When a replica's silence is a sign; nothing for a kind of request that isn't known or stays open for long.
    #[must_use]
    pub fn expected(&self) -> Option<Expected> {
        let expected = Expected { after: self.silence, is_often_late: self.is_often_late };
        Some(expected).filter(|_| self.delay < tuned!(COLD_DELAY))
    }

    /// The request may run twice, and there is budget for it; copies cost none.
    #[must_use]
    pub fn allow_repetition(&self, strategy: Strategy, may_repeat: bool) -> bool {
        may_repeat && (self.reserved > 0 || strategy == Strategy::RequestReplication)
    }
}

/// How many requests come within a span, at the most: in a burst that is more than their rate says.
#[derive(Debug, Clone, Default)]
struct Crowd {
    span: Duration,
    began: Millis,
    count: u64,
    most: u64,
}

impl Crowd {
    fn came(&mut self, now: Millis) {
        if now.since(self.began) >= self.span {
            (self.began, self.count) = (now, 0);
        }
        self.count += 1;
        self.most = self.most.max(self.count);
    }

    /// The most since this was last asked.
    fn take(&mut self) -> u64 {
        std::mem::take(&mut self.most)
    }
}

/// What one worker remembers of one function.
#[derive(Debug, Clone)]
pub struct Memory {
    budget: Budget,
    kinds: Vec<(u32, Pace, u64)>,
    requests: u64,
    crowd: Crowd,
    spared_until: Millis,
    early: Duration,
}

impl Memory {
    /// Nothing is known yet of a function with this policy.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        Self {
            budget: Budget::new(policy.budget),
            kinds: Vec::new(),
            requests: 0,
            crowd: Crowd::default(),
            spared_until: Millis::default(),
            early: UNWATCHED,
        }
    }

    /// A request of this kind has come. `may_repeat`: it may run twice.
    pub fn request(&mut self, kind: u32, policy: &Policy, may_repeat: bool, now: Millis) -> Terms {
        self.requests += 1;
        self.crowd.came(now);
        self.remember(kind);
        let is_race = policy.strategy == Strategy::RequestReplication;
        if is_race {
            let (delay, silence) = (COLD_DELAY, COLD_DELAY);
            // However soon the second copy answers: the first had started, and hadn't failed.
            let early = NEXT_START_AFTER;
            return Terms { delay, early, silence, ..Terms::default() };
        }
        self.budget.earn();
        let reserved = if may_repeat { self.budget.reserve(policy.retries()) } else { 0 };
        let (delay, pace) = (self.delay(kind, policy), self.pace(kind));
        Terms {
            delay,
            early: self.early.saturating_sub(pace.and_then(Pace::quickest).unwrap_or_default()),
            silence: pace.and_then(Pace::silence).unwrap_or_default().max(delay),
            is_spared: self.spared_until > now,
            reserved,
            is_short: self.budget.is_short(),
            is_often_late: pace.is_some_and(Pace::is_often_late),
        }
    }

    fn remember(&mut self, kind: u32) {
        if let Some((.., last)) = self.place(kind).and_then(|place| self.kinds.get_mut(place)) {
            *last = self.requests;
        } else if self.kinds.len() < KINDS {
            self.kinds.push((kind, Pace::default(), self.requests));
        } else if let Some(old) =
            self.kinds.iter_mut().find(|(.., last)| self.requests - *last > FORGOTTEN_AFTER)
        {
            *old = (kind, Pace::default(), self.requests);
        }
    }

    fn place(&self, kind: u32) -> Option<usize> {
        self.kinds.iter().position(|(known, ..)| *known == kind)
    }

    /// The pace of `kind`; of the last kind, which stands for all the others, where there are too many.
    fn pace(&self, kind: u32) -> Option<&Pace> {
        let place = self.place(kind).or_else(|| self.kinds.len().checked_sub(1))?;
        self.kinds.get(place).map(|(_, pace, _)| pace)
    }

    fn pace_mut(&mut self, kind: u32) -> Option<&mut Pace> {
        let place = self.place(kind).or_else(|| self.kinds.len().checked_sub(1))?;
        self.kinds.get_mut(place).map(|(_, pace, _)| pace)
    }

    /// After how long a request of `kind` is later than usual: as the policy says, else as its pace does.
    fn delay(&self, kind: u32, policy: &Policy) -> Duration {
        let learned = |pace: &Pace| match policy.strategy {
            Strategy::Hedged => pace.eager_delay(policy.budget, self.early),
            _ => pace.delay(self.early),
        };
        policy.hedge_after.or_else(|| self.pace(kind).map(learned)).unwrap_or(tuned!(COLD_DELAY))
    }

    /// How many times as long as usual a request of `kind` took with this latency; nothing before that is known.
    #[must_use]
    pub fn times_usual(&self, kind: u32, latency: Duration) -> Option<f32> {
        let usual = self.pace(kind)?.median()?;
        Some(latency.as_secs_f32() / usual.as_secs_f32().max(f32::EPSILON))
    }

    /// No request of `kind` that is remembered was answered after so little time.
    #[must_use]
    pub fn is_quickest(&self, kind: u32, latency: Duration) -> bool {
        self.pace(kind).and_then(Pace::quickest).is_none_or(|quickest| latency < quickest)
    }

    /// The budget, for whoever shows it.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// A moment has gone by, and timers are known to go off so `early`: makes room in the budget for what comes at once.
    pub fn settle(&mut self, early: Duration) {
        self.early = early;
        self.budget.make_room(self.crowd.take() * tuned!(BURST_IN_DELAYS));
        let learned = self.kinds.iter().filter(|(_, pace, _)| pace.body().is_some());
        let slowest = learned.map(|(_, pace, _)| pace.delay(early)).max();
        self.crowd.span = slowest.unwrap_or_default().min(tuned!(COLD_DELAY));
    }

    /// Takes in how a request of `kind` ended, first replica first, and gives back what it didn't need. `is_losing`: that
    /// replica was late with the one before, too; it is the replica that is slow then, rather than the function.
    pub fn learn(&mut self, kind: u32, plan: &Plan, outcome: &Outcome, is_losing: bool, now: Millis) {
        let spent = outcome.attempts.saturating_sub(1);
        self.budget.pay(plan.reserved, spent, plan.hedge_after.is_some());
        if outcome.end == End::Busy {
            self.spared_until = now.after(SPARED_FOR);
        }
        let waited = (plan.is_desperate || plan.is_last_resort) && spent > 0;
        // Without an attempt it was the proxy that answered.
        if outcome.end != End::Answered || outcome.attempts == 0 || plan.is_check || waited {
            return;
        }
        let early = self.early;
        let Some(pace) = self.pace_mut(kind) else { return };
        let won_by_first = outcome.replica.is_some() && outcome.replica == plan.first();
        match plan.hedge_after.filter(|_| spent > 0) {
            None if spent == 0 => pace.answered(outcome.latency),
            // A failure, or a wait among suspects: says nothing of the function's speed.
            None => {}
            Some(_) if won_by_first => {
                pace.answered(outcome.latency);
                pace.hedged(false);
                pace.was_late();
            }
            Some(delay) if outcome.latency + plan.early < delay => {}
            Some(delay) => {
                // The first would have taken longer still; the winner started with the hedge.
                let own = outcome.latency.saturating_sub(delay);
                // Quicker than any other answer: it started sooner, for the first attempt had failed.
                let had_failed = pace.quickest().is_some_and(|quickest| own + early + TIMER_UNIT < quickest);
                if !is_losing {
                    pace.answered(outcome.latency);
                }
                if !had_failed {
                    pace.answered(own);
                    pace.hedged(true);
                    pace.was_late();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
