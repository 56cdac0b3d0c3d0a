//! Why a policy is refused: one reason, with the key, what was written and what would be right.

use std::fmt;

/// Why a policy is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyError {
    /// The text isn't JSON of the expected shape.
    Unreadable {
        /// The parser's own words.
        detail: String,
    },
    /// Written for a later version of the filter.
    LaterVersion {
        /// The version it says.
        version: u64,
    },
    /// The function's name is missing, too long or has a character that metrics can't carry.
    BadFunctionName {
        /// The name as written.
        name: String,
    },
    /// No `strategy`: nothing says how to protect the function.
    NoStrategy,
    /// A key that isn't part of the contract.
    UnknownKey {
        /// The key as written, without the prefix.
        key: String,
    },
    /// A value that the key doesn't take.
    BadValue {
        /// The key, without the prefix.
        key: &'static str,
        /// The value as written.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// Part of the contract, but not of this version.
    NotBuilt {
        /// The key, without the prefix.
        key: String,
        /// The value as written.
        value: String,
    },
    /// A value that is right alone, but not beside another one.
    Contradiction {
        /// The key, without the prefix.
        key: &'static str,
        /// The value as written.
        value: String,
        /// What it contradicts, and what to do.
        because: &'static str,
    },
}

impl PolicyError {
    pub(super) fn bad(key: &'static str, value: &str, expected: &'static str) -> Self {
        Self::BadValue { key, value: value.to_owned(), expected }
    }

    pub(super) fn not_built(key: &str, value: &str) -> Self {
        Self::NotBuilt { key: key.to_owned(), value: value.to_owned() }
    }

    pub(super) fn contradiction(key: &'static str, value: &str, because: &'static str) -> Self {
        Self::Contradiction { key, value: value.to_owned(), because }
    }

    /// The key that is wrong, where it is one key's fault.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Unreadable { .. } | Self::LaterVersion { .. } | Self::BadFunctionName { .. } => None,
            Self::NoStrategy => Some("strategy"),
            Self::UnknownKey { key } | Self::NotBuilt { key, .. } => Some(key),
            Self::BadValue { key, .. } | Self::Contradiction { key, .. } => Some(key),
        }
    }

    /// A word for the metric `passed_through`: few values, so that its cardinality stays fixed.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "policy_unreadable",
            Self::LaterVersion { .. } => "policy_later_version",
            Self::NotBuilt { .. } => "policy_not_built",
            _ => "policy_invalid",
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { detail } => write!(f, "policy is not readable: {detail}"),
            Self::LaterVersion { version } => {
                write!(
                    f,
                    "policy has version {version}, this filter reads up to {}: update the filter",
                    super::POLICY_VERSION
                )
            }
            Self::BadFunctionName { name } => {
                write!(f, "function name `{name}` won't do: 1 to 253 letters, digits and `-_./` are right")
            }
            Self::NoStrategy => {
                write!(
                    f,
                    "no `strategy`: retry, active-standby, request-replication or hedged would be right"
                )
            }
            Self::UnknownKey { key } => {
                write!(f, "unknown key `{key}`: {} are the keys", super::KEYS.join(", "))
            }
            Self::BadValue { key, value, expected } => {
                write!(f, "`{key}` is `{value}`: {expected} would be right")
            }
            Self::NotBuilt { key, value } => write!(f, "`{key}: {value}` is not built yet in this version"),
            Self::Contradiction { key, value, because } => write!(f, "`{key}: {value}` won't do: {because}"),
        }
    }
}

impl std::error::Error for PolicyError {}
