//! A row in words.

use std::fmt::Write as _;

use steadfaas_core::policy::Strategy;

use super::{Counted, Replica, Row, State};
use crate::controller::status::Condition;
use crate::facts::Subject;

/// `redundancy 0 of K`: as soon as a replica that could fail is gone, long before it is needed.
pub(super) fn redundancy(well: usize, tolerate: usize) -> Option<String> {
    match well {
        0 => Some("no replica is well".to_owned()),
        well if well <= tolerate => Some(format!("redundancy {} of {tolerate}", well - 1)),
        _ => None,
    }
}

/// What the controller says, and since when.
pub(super) fn complaint(complaint: &Condition) -> String {
    format!("{} (since {})", complaint.message, complaint.last_transition_time)
}

/// What extra attempts are held against.
pub(super) fn budget(subject: &Subject) -> Option<u8> {
    let policy = subject.policy().ok()?;
    (policy.strategy != Strategy::RequestReplication).then_some(policy.budget)
}

/// `2 well: 1 active, 1 standby`, and what isn't well.
#[must_use]
pub fn replicas_in_words(replicas: &[Replica]) -> String {
    let count = |state| replicas.iter().filter(|replica| replica.state == state).count();
    let well = replicas.iter().filter(|replica| replica.state.is_well()).count();
    let mut words = format!("{well} well");
    let roles =
        [(State::Active, "active"), (State::Standby, "standby")].map(|(state, word)| (count(state), word));
    let said: Vec<String> =
        roles.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if !said.is_empty() {
        // Writing to a string can't fail.
        let _ = write!(words, " ({})", said.join(", "));
    }
    for (state, word) in [(State::Suspect, "suspect"), (State::Gone, "gone")] {
        if count(state) > 0 {
            let _ = write!(words, ", {} {word}", count(state));
        }
    }
    words
}

/// `12 of 400 requests (3.0 % of 10 %)`.
#[must_use]
pub fn extra_attempts(row: &Row) -> String {
    let Counted { requests, extra_attempts, budget_percent, .. } = &row.counted;
    if *requests == 0 {
        return "no requests yet".to_owned();
    }
    // Counts of requests are far below what a float keeps exactly.
    #[allow(clippy::cast_precision_loss)]
    let percent = *extra_attempts as f64 * 100.0 / *requests as f64;
    let held_against = match (budget_percent, &row.strategy) {
        (Some(budget), _) => format!(" of {budget} %"),
        (None, Some(_)) => " by choice".to_owned(),
        (None, None) => String::new(),
    };
    format!("{extra_attempts} for {requests} ({percent:.1} %{held_against})")
}
