//! What administrators allow functions of a namespace to ask for: one ConfigMap, an entry for each namespace.

mod entry;

use std::collections::BTreeMap;

use steadfaas_core::policy::Policy;

use self::entry::Limit;

/// The ConfigMap, in the controller's own namespace.
pub const NAME: &str = "steadfaas-limits";

/// The entry for namespaces without one of their own. No namespace can be called so.
pub const OTHERS: &str = "_others";

/// The limits by namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// Nothing: an entry that can't be read, and never could since the controller started.
    entries: BTreeMap<String, Option<Limit>>,
}

/// Why functions of a namespace may not have a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is over the limit.
    Over(String),
    /// Nobody knows the limit: what isn't in force yet has to wait.
    Unknown(String),
}

impl Limits {
    /// Takes over the ConfigMap's data, and says what is wrong with it. An entry that can't be read stays as it was.
    pub(super) fn read(&mut self, data: &BTreeMap<String, String>) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut before = std::mem::take(&mut self.entries);
        for (namespace, text) in data {
            let limit = Limit::parse(text).map_or_else(
                |error| {
                    wrong.push(format!("entry `{namespace}`: {error}"));
                    before.remove(namespace).flatten()
                },
                Some,
            );
            self.entries.insert(namespace.clone(), limit);
        }
        wrong
    }

    /// Whether functions of the namespace may have the policy.
    pub(super) fn check(&self, namespace: &str, policy: &Policy) -> Result<(), Refusal> {
        let named = self.entries.get_key_value(namespace).or_else(|| self.entries.get_key_value(OTHERS));
        let Some((entry, limit)) = named else { return Ok(()) };
        let entry = format!("entry `{entry}` of the ConfigMap {NAME}");
        let Some(limit) = limit else {
            let until = "until then functions keep the policies that they have";
            return Err(Refusal::Unknown(format!("{entry} can't be read and has to be mended: {until}")));
        };
        match limit.exceeded_by(policy) {
            Some((key, value, allowed)) => Err(Refusal::Over(format!(
                "`{key}` is `{value}`: {entry} allows {allowed} in the namespace {namespace}"
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use steadfaas_core::policy::WrittenPolicy;

    use super::*;

    fn policy(settings: &[(&str, &str)]) -> Policy {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Policy::compile(&WrittenPolicy::new("a/fib", settings.collect())).unwrap()
    }

    fn data(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn refused(limits: &Limits, namespace: &str, policy: &Policy) -> String {
        match limits.check(namespace, policy).unwrap_err() {
            Refusal::Over(words) | Refusal::Unknown(words) => words,
        }
    }

    #[test]
    fn a_policy_over_a_limit_is_refused_naming_key_value_and_what_is_allowed() {
        let mut limits = Limits::default();
        let entries = data(&[("a", "tolerate: 1\nbudget: 10%"), (OTHERS, "strategies: [retry, hedged]")]);
        assert!(limits.read(&entries).is_empty());
        let two = policy(&[("strategy", "retry"), ("tolerate", "2")]);
        assert_eq!(
            refused(&limits, "a", &two),
            "`tolerate` is `2`: entry `a` of the ConfigMap steadfaas-limits allows 1 at most in the namespace a"
        );
        let half = policy(&[("strategy", "retry"), ("budget", "50%")]);
        assert!(refused(&limits, "a", &half).starts_with("`budget` is `50%`: "));
        let copies = policy(&[("strategy", "request-replication")]);
        assert!(refused(&limits, "b", &copies).contains("allows retry, hedged in the namespace b"));
        assert_eq!(limits.check("a", &copies), Ok(()), "its own entry counts alone");
        assert_eq!(Limits::default().check("a", &two), Ok(()));
    }

    #[test]
    fn an_entry_that_turned_wrong_stays_as_it_was_and_the_others_count() {
        let mut limits = Limits::default();
        limits.read(&data(&[("a", "tolerate: 1"), ("b", "tolerate: 1")]));
        let wrong = limits.read(&data(&[("a", "tolerate: many"), ("b", "tolerate: 2")]));
        assert_eq!(wrong, ["entry `a`: `tolerate` is `many`: a whole number such as 2 would be right"]);
        let two = policy(&[("strategy", "retry"), ("tolerate", "2")]);
        assert!(matches!(limits.check("a", &two), Err(Refusal::Over(_))));
        assert_eq!(limits.check("b", &two), Ok(()));
        assert!(limits.read(&data(&[])).is_empty());
        assert_eq!(limits.check("a", &two), Ok(()), "who deletes an entry means it");
    }

    #[test]
    fn an_entry_that_could_never_be_read_lets_nothing_new_through() {
        let mut limits = Limits::default();
        assert_eq!(limits.read(&data(&[("a", "tolerate: many")])).len(), 1);
        let one = policy(&[("strategy", "retry")]);
        assert!(matches!(limits.check("a", &one), Err(Refusal::Unknown(_))));
    }
}
