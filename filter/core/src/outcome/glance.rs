//! A first glance at an outcome: most teach nothing, and to find that out must cost less than to learn.

use std::cell::Cell;
use std::time::Duration;

use crate::lane::InFlight;
use crate::plan::{Plan, Repeat};
use crate::time::Millis;

/// Answers that broke off in their middle are looked for in one request of this many: the flags that tell cost as much as
/// three headers, a twentieth of all that a request costs, and a replica that does it betrays itself soon enough.
const LOOK_CLOSER_EVERY: u32 = 4;

/// And in one in this time at the most: of more than a thousand requests a second fewer will do.
const LOOK_CLOSER_APART: Duration = Duration::from_millis(4);

/// Which requests of a function are looked at closely when they are over.
#[derive(Debug, Default)]
pub struct CloserLooks {
    last: Cell<Millis>,
}

impl CloserLooks {
    /// Whether the request of this turn is such a one. Not simply each fourth: turns decide between replicas, too, and it
    /// would always be the same one that is looked at. If it is, the next one is so only a while later.
    #[must_use]
    pub fn take(&self, turn: usize, now: Millis) -> bool {
        let is_due = is_one_of_four(turn) && now.since(self.last.get()) >= LOOK_CLOSER_APART;
        if is_due {
            self.last.set(now);
        }
        is_due
    }
}

fn is_one_of_four(turn: usize) -> bool {
    /// Knuth's multiplicative hash: 2^32 over the golden ratio.
    const GOLDEN: u32 = 0x9e37_79b9;
    u32::try_from(turn & 0xffff).unwrap_or_default().wrapping_mul(GOLDEN) < u32::MAX / LOOK_CLOSER_EVERY
}

/// Nothing can be learned from this outcome: one attempt that was as good as any. Spares the properties that only
/// failures and races need. A request that may be repeated and failed has more than one attempt, but for answers
/// that broke off: those that [`CloserLooks`] names look for them. `is_unflagged`: whether Envoy has nothing to say of
/// how it ended; asked only where that is needed.
#[must_use]
pub fn is_plain(
    plan: &Plan,
    attempts: u64,
    in_flight: Option<&InFlight>,
    looks_closer: bool,
    is_unflagged: impl FnOnce() -> bool,
) -> bool {
    let is_racing = in_flight.is_some_and(|place| place.lane().is_losing());
    let is_routine = attempts == 1 && !plan.is_check && !plan.is_desperate && !is_racing;
    let spares_flags = plan.repeat != Repeat::Never && !looks_closer;
    is_routine && (spares_flags || is_unflagged())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_in_four_is_looked_at_whichever_replica_its_turn_is() {
        for replica in 0..2 {
            let looks = CloserLooks::default();
            let time = |turn: usize| Millis(1_000 + 10 * u64::try_from(turn).unwrap());
            let looked = (0..2_000).filter(|turn| looks.take(2 * turn + replica, time(*turn))).count();
            assert!((450..=550).contains(&looked), "{looked} of 2,000 with replica {replica}");
        }
    }

    #[test]
    fn however_many_requests_come_one_in_four_milliseconds_is_looked_at() {
        const IN_A_MILLI: usize = 10;
        let looks = CloserLooks::default();
        let millis = (1_000..2_000).flat_map(|millis| [Millis(millis); IN_A_MILLI]);
        let looked = millis.enumerate().filter(|(turn, now)| looks.take(*turn, *now)).count();
        assert!((200..=250).contains(&looked), "{looked} in a second");
    }

    #[test]
    fn flags_are_asked_for_only_where_a_failure_would_leave_no_other_trace() {
        let repeatable = Plan { repeat: Repeat::AsPolicySays, ..Plan::default() };
        let unasked = || panic!("nobody needs them");
        assert!(is_plain(&repeatable, 1, None, false, unasked));
        assert!(!is_plain(&repeatable, 2, None, true, unasked));
        for (plan, looks_closer) in [(&repeatable, true), (&Plan::default(), false)] {
            assert!(is_plain(plan, 1, None, looks_closer, || true));
            assert!(!is_plain(plan, 1, None, looks_closer, || false));
        }
    }
}
