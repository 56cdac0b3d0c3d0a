//! One entry of the limits: what it says, or which key is wrong and what would be right.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use steadfaas_core::policy::{Policy, Strategy};

/// What an entry may look like, for messages.
const EXPECTED: &str =
    "`tolerate: 2`, `budget: 20%` and `strategies: [retry, hedged]`, each on a line of its own,";

/// What functions may ask for; what isn't there isn't limited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Limit {
    tolerate: Option<u8>,
    budget: Option<Percent>,
    strategies: Option<Vec<Strategy>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Percent(u8);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl Limit {
    /// Reads an entry's text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let keys: Option<BTreeMap<String, Value>> = serde_saphyr::from_str(text)
            .map_err(|_| format!("`{}` won't do: {EXPECTED} would be right", text.trim()))?;
        let mut limit = Self::default();
        for (key, value) in keys.unwrap_or_default() {
            let wrong = |expected: &str| format!("`{key}` is `{}`: {expected} would be right", plain(&value));
            match key.as_str() {
                "tolerate" => {
                    limit.tolerate = Some(number(&value).ok_or_else(|| wrong("a whole number such as 2"))?);
                }
                "budget" => {
                    limit.budget = Some(percent(&value).ok_or_else(|| wrong("a percentage such as 20%"))?);
                }
                "strategies" => {
                    let all = format!("a list of those of {} that are allowed", words(&Strategy::ALL));
                    limit.strategies = Some(strategies(&value).ok_or_else(|| wrong(&all))?);
                }
                _ => {
                    return Err(format!("unknown key `{key}`: tolerate, budget and strategies are the keys"));
                }
            }
        }
        Ok(limit)
    }

    /// The first key of a policy that is over it: its name, its value, and what is allowed.
    pub(super) fn exceeded_by(&self, policy: &Policy) -> Option<(&'static str, String, String)> {
        match self {
            Self { tolerate: Some(most), .. } if policy.tolerate > *most => {
                Some(("tolerate", policy.tolerate.to_string(), format!("{most} at most")))
            }
            Self { budget: Some(most), .. } if policy.budget > most.0 => {
                Some(("budget", Percent(policy.budget).to_string(), format!("{most} at most")))
            }
            Self { strategies: Some(allowed), .. } if !allowed.contains(&policy.strategy) => {
                Some(("strategy", policy.strategy.as_str().to_owned(), words(allowed)))
            }
            _ => None,
        }
    }
}

fn number(value: &Value) -> Option<u8> {
    value.as_u64()?.try_into().ok()
}

fn percent(value: &Value) -> Option<Percent> {
    value.as_str()?.strip_suffix('%')?.parse().ok().map(Percent)
}

fn strategies(value: &Value) -> Option<Vec<Strategy>> {
    let named = |word: &Value| Strategy::ALL.into_iter().find(|known| word.as_str() == Some(known.as_str()));
    value.as_array()?.iter().map(named).collect()
}

fn words(strategies: &[Strategy]) -> String {
    let words: Vec<&str> = strategies.iter().map(|strategy| strategy.as_str()).collect();
    if words.is_empty() { "no strategy".to_owned() } else { words.join(", ") }
}

/// A value as somebody would write it.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_by_key_and_value_with_what_would_be_right() {
        let said = |text: &str| Limit::parse(text).unwrap_err();
        assert_eq!(said("tolerate: many"), "`tolerate` is `many`: a whole number such as 2 would be right");
        assert_eq!(
            said("tolerate: 1\nbudget: 10"),
            "`budget` is `10`: a percentage such as 20% would be right"
        );
        assert_eq!(
            said("strategies: [retry, hegded]"),
            "`strategies` is `[\"retry\",\"hegded\"]`: a list of those of retry, active-standby, \
             request-replication, hedged that are allowed would be right"
        );
        assert!(said("strategies: retry").starts_with("`strategies` is `retry`: a list of"));
        assert_eq!(
            said("toelrate: 1"),
            "unknown key `toelrate`: tolerate, budget and strategies are the keys"
        );
        assert!(said("none at all").starts_with("`none at all` won't do: `tolerate: 2`, "));
    }

    #[test]
    fn an_entry_that_says_nothing_limits_nothing() {
        for nothing in ["", "{}", "# later"] {
            assert_eq!(Limit::parse(nothing), Ok(Limit::default()), "{nothing:?}");
        }
    }
}
