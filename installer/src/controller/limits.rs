//! What administrators allow functions of a namespace to ask for: one ConfigMap, an entry for each namespace.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use steadfaas_core::policy::Policy;

/// The ConfigMap, in the controller's own namespace.
pub const NAME: &str = "steadfaas-limits";

/// The entry for namespaces without one of their own. No namespace can be called so.
pub const OTHERS: &str = "_others";

/// What an entry may look like, for messages.
const EXPECTED: &str =
    "`tolerate: 2`, `budget: 20%` and `strategies: [retry, hedged]`, each on a line of its own,";

/// The limits by namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Limits {
    entries: BTreeMap<String, Limit>,
}

/// The limits of one namespace; what isn't there isn't limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    tolerate: Option<u8>,
    budget: Option<Percent>,
    strategies: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Percent(u8);

impl TryFrom<String> for Percent {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let number = text.strip_suffix('%').and_then(|number| number.parse().ok());
        number.map(Self).ok_or_else(|| format!("`{text}` is no percentage"))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl Limits {
    /// Reads the ConfigMap's data.
    pub(super) fn parse(data: &BTreeMap<String, String>) -> Result<Self, String> {
        let entry = |(namespace, text): (&String, &String)| {
            let limit = serde_saphyr::from_str::<Limit>(text);
            let limit =
                limit.map_err(|error| format!("entry `{namespace}`: {error}: {EXPECTED} would be right"))?;
            Ok((namespace.clone(), limit))
        };
        Ok(Self { entries: data.iter().map(entry).collect::<Result<_, String>>()? })
    }

    /// Whether functions of the namespace may have the policy.
    pub(super) fn check(&self, namespace: &str, policy: &Policy) -> Result<(), String> {
        let named = self.entries.get_key_value(namespace).or_else(|| self.entries.get_key_value(OTHERS));
        let Some((entry, limit)) = named else { return Ok(()) };
        let over = |key: &str, value: &dyn fmt::Display, allowed: &dyn fmt::Display| {
            let where_from = format!("entry `{entry}` of the ConfigMap {NAME}");
            Err(format!("`{key}` is `{value}`: {where_from} allows {allowed} in the namespace {namespace}"))
        };
        match limit {
            Limit { tolerate: Some(most), .. } if policy.tolerate > *most => {
                over("tolerate", &policy.tolerate, &format_args!("{most} at most"))
            }
            Limit { budget: Some(most), .. } if policy.budget > most.0 => {
                over("budget", &Percent(policy.budget), &format_args!("{most} at most"))
            }
            Limit { strategies: Some(allowed), .. }
                if !allowed.iter().any(|word| word == policy.strategy.as_str()) =>
            {
                over("strategy", &policy.strategy.as_str(), &allowed.join(", "))
            }
            _ => Ok(()),
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

    fn limits(entries: &[(&str, &str)]) -> Result<Limits, String> {
        Limits::parse(&entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_policy_over_a_limit_is_refused_naming_key_value_and_what_is_allowed() {
        let limits =
            limits(&[("a", "tolerate: 1\nbudget: 10%"), (OTHERS, "strategies: [retry, hedged]")]).unwrap();
        let two = policy(&[("strategy", "retry"), ("tolerate", "2")]);
        assert_eq!(
            limits.check("a", &two).unwrap_err(),
            "`tolerate` is `2`: entry `a` of the ConfigMap steadfaas-limits allows 1 at most in the namespace a"
        );
        let half = policy(&[("strategy", "retry"), ("budget", "50%")]);
        assert!(limits.check("a", &half).unwrap_err().starts_with("`budget` is `50%`: "));
        let copies = policy(&[("strategy", "request-replication")]);
        assert!(limits.check("b", &copies).unwrap_err().contains("allows retry, hedged in the namespace b"));
        assert_eq!(limits.check("a", &copies), Ok(()), "its own entry counts alone");
        assert_eq!(Limits::default().check("a", &two), Ok(()));
    }

    #[test]
    fn an_entry_that_says_something_else_is_named() {
        for wrong in ["tolerate: many", "toelrate: 1", "budget: 10", "strategies: retry"] {
            let error = limits(&[("a", wrong)]).unwrap_err();
            assert!(error.starts_with("entry `a`: ") && error.ends_with("would be right"), "{error}");
        }
    }
}
