//! The plan: the answer of a strategy for one request. Envoy executes it.

mod headers;

use std::time::Duration;

use crate::time::Millis;

/// How one request is to be tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Places (in the view) of the replicas to try, in order. Past their end, and if there is none, Envoy's own
    /// balancing picks.
    pub order: Vec<usize>,
    /// The next replica starts when this much time has gone by without an answer, and the first good answer wins;
    /// `None`: it starts only when the one before has failed.
    pub hedge_after: Option<Duration>,
    /// How much earlier than that its answer may be there, timers being what they are. What comes sooner still was no
    /// hedge's: the first attempt failed.
    pub early: Duration,
    /// Most extra attempts, where it differs from the `num_retries` that stands in config.
    pub max_retries: Option<u32>,
    /// Which failures are tried again beside those that prove that nothing ran.
    pub repeat: Repeat,
    /// How many extra attempts it has reserved of the function's budget.
    pub reserved: u32,
    /// The first replica is a suspect or long unheard of, and the answer decides about it.
    pub is_check: bool,
    /// It is well as far as is known: being late once is no proof against it.
    pub is_first_look: bool,
    /// The function is often late: that says less of its replica.
    pub is_often_late: bool,
    /// No replica was known to be well.
    pub is_desperate: bool,
    /// Behind the one that is known to be well stand suspects.
    pub is_last_resort: bool,
    /// When the request has to be over, all attempts together; `None`: the route says.
    pub deadline: Option<Deadline>,
}

/// When a request has to be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// The point in time: the function may drop what it gets to do only after it.
    pub at: Millis,
    /// How long that is from now.
    pub left: Duration,
}

impl Deadline {
    /// The deadline of a request that came `now`: the policy's, or an earlier one that it inherits from the protected
    /// call it is part of.
    #[must_use]
    pub fn of(policy: Option<Duration>, inherited: Option<Millis>, now: Millis) -> Option<Self> {
        let own = policy.map(|span| now.after(span));
        let at = own.into_iter().chain(inherited).min()?;
        Some(Self { at, left: at.since(now) })
    }
}

/// Which failures are tried again beside those that prove that nothing ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Repeat {
    /// None: the request must not run twice, or there is no budget for it.
    #[default]
    Never,
    /// Those that the policy names.
    AsPolicySays,
    /// Those of the policy that are no answers: a broken connection. For a request that waits until some replica is
    /// back, and must not run again for each answer that its replica gives meanwhile.
    WhenBroken,
}

impl Plan {
    /// The replica that gets the first attempt.
    #[must_use]
    pub fn first(&self) -> Option<usize> {
        self.order.first().copied()
    }

    /// Fills the list up to `attempts` places by naming its last replica again: past its end Envoy would pick any
    /// replica, suspects among them.
    pub(crate) fn fill(&mut self, attempts: usize) {
        if let Some(last) = self.order.last().copied() {
            while self.order.len() < attempts {
                self.order.push(last);
            }
        }
    }
}
