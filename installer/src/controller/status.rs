//! What the controller says of a function in its annotation `steadfaas.dev/status`: conditions, as JSON.

use serde::{Deserialize, Serialize};

/// What is said of a function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The strategy that is in force; none where the function isn't protected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// What holds of it.
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

/// What holds, since when, and why; as Kubernetes' own objects have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it is about.
    #[serde(rename = "type")]
    pub about: About,
    /// `True` is how it should be.
    pub status: Truth,
    /// A word for why.
    pub reason: String,
    /// A sentence for why.
    pub message: String,
    /// Since when, as RFC 3339 has it.
    pub last_transition_time: String,
}

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum About {
    /// The annotations are right.
    Valid,
    /// Proxies protect it.
    Protected,
    /// As many replicas may fail as its policy says.
    Redundant,
    /// Another Service stands by for it, as it asks for.
    StandsBy,
    /// Its requests reach the pods without Knative's activator in between.
    Direct,
    /// Calls of OpenFaaS' gateway are led to it, as it asks for.
    Routed,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Truth {
    /// It does.
    True,
    /// It doesn't.
    False,
}

/// A condition as it was found now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) about: About,
    pub(super) holds: bool,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Status {
    /// What an annotation says; nothing where it says something else.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// What is said of this.
    #[must_use]
    pub fn get(&self, about: About) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.about == about)
    }

    /// What to say now, and which findings are new. What held before keeps its time.
    pub(super) fn next(
        before: Option<&Self>,
        strategy: Option<&str>,
        findings: &[Finding],
        now: &str,
    ) -> (Self, Vec<Finding>) {
        let mut changed = Vec::new();
        let conditions = findings.iter().map(|finding| {
            let old = before.and_then(|before| before.get(finding.about));
            if let Some(old) = old.filter(|old| finding.is(old)) {
                return old.clone();
            }
            changed.push(finding.clone());
            finding.condition(now)
        });
        let conditions = conditions.collect();
        (Self { strategy: strategy.map(str::to_owned), conditions }, changed)
    }
}

impl Finding {
    fn is(&self, old: &Condition) -> bool {
        (self.truth(), self.reason, &self.message) == (old.status, old.reason.as_str(), &old.message)
    }

    fn truth(&self) -> Truth {
        if self.holds { Truth::True } else { Truth::False }
    }

    fn condition(&self, now: &str) -> Condition {
        Condition {
            about: self.about,
            status: self.truth(),
            reason: self.reason.to_owned(),
            message: self.message.clone(),
            last_transition_time: now.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redundant(holds: bool) -> Finding {
        Finding { about: About::Redundant, holds, reason: "Counted", message: format!("{holds}") }
    }

    #[test]
    fn what_holds_still_keeps_its_time_and_is_not_new() {
        let (first, new) = Status::next(None, Some("retry"), &[redundant(true)], "1");
        assert_eq!(new, [redundant(true)]);
        let (second, new) = Status::next(Some(&first), Some("retry"), &[redundant(true)], "2");
        assert_eq!((&second, new), (&first, Vec::new()));
        let (third, new) = Status::next(Some(&second), Some("retry"), &[redundant(false)], "3");
        assert_eq!(new, [redundant(false)]);
        assert_eq!(third.get(About::Redundant).unwrap().last_transition_time, "3");
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let (status, _) = Status::next(None, Some("retry"), &[redundant(true)], "2026-01-01T00:00:00Z");
        let text = serde_json::to_string(&status).unwrap();
        assert!(text.contains(r#"{"type":"Redundant","status":"True","reason":"Counted""#), "{text}");
        assert_eq!(Status::read(&text), Some(status));
        assert_eq!(Status::read("what a user wrote"), None);
    }
}
