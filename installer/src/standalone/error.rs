//! What can be wrong with a functions file: one line that names file, line, function, field, and what would be right.

use std::fmt;

use steadfaas_core::policy::PolicyError;
use thiserror::Error;

/// A functions file that won't do, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// The file, as the user named it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
    /// The function, where it is one function's fault and its name is known.
    pub function: Option<String>,
    /// What is wrong.
    pub problem: Box<Problem>,
}

impl FileError {
    /// Whoever finds a problem knows its line, whoever reads the function knows its name.
    pub(super) fn new(file: &str, function: Option<String>, (line, problem): (u64, Problem)) -> Self {
        Self { file: file.to_owned(), line, function, problem: Box::new(problem) }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if let Some(function) = &self.function {
            write!(f, "function `{function}`: ")?;
        }
        self.problem.fmt(f)
    }
}

impl std::error::Error for FileError {}

/// What is wrong with a functions file. Each message ends with what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// The YAML parser stopped.
    #[error("not YAML: {detail}")]
    NotYaml {
        /// The parser's own words.
        detail: String,
    },
    /// A key that stands twice in one map.
    #[error("`{key}` is there twice: once would be right")]
    KeyTwice {
        /// The key.
        key: String,
    },
    /// A key that means nothing.
    #[error("unknown key `{key}`: {expected} would be right")]
    UnknownKey {
        /// The key as written.
        key: String,
        /// What would be right.
        expected: String,
    },
    /// A field that must be there.
    #[error("no `{field}`: {expected} would be right")]
    Missing {
        /// The field.
        field: &'static str,
        /// What would be right.
        expected: &'static str,
    },
    /// A value that the field doesn't take.
    #[error("`{field}` is {found}: {expected} would be right")]
    Wrong {
        /// The field.
        field: String,
        /// What stands there, as words or in backticks.
        found: String,
        /// What would be right.
        expected: &'static str,
    },
    /// The file is something else than a map with `functions`.
    #[error("the file is {found}: a map with the key `functions` would be right")]
    NotAMap {
        /// What it is.
        found: String,
    },
    /// An entry of `functions` that isn't a map.
    #[error(
        "an entry of `functions` is {found}: a map with `name`, `replicas` and `strategy` would be right"
    )]
    NotAFunction {
        /// What it is.
        found: String,
    },
    /// Two functions of one name.
    #[error("`name` is taken by the function at line {line}: a name of its own would be right")]
    NameTaken {
        /// Where the other one stands.
        line: u64,
    },
    /// A name that the configuration itself needs.
    #[error("`name` is what Envoy's admin endpoint is called here: another one would be right")]
    NameReserved,
    /// An entry of `replicas` that is no endpoint.
    #[error("`replicas` has {found}: {expected} would be right")]
    WrongReplica {
        /// What stands there, as words or in backticks.
        found: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A replica that stands twice in one function.
    #[error("`replicas` has `{replica}` twice: once would be right")]
    ReplicaTwice {
        /// The replica as written.
        replica: String,
    },
    /// Addresses and DNS names in one function.
    #[error("`replicas` mixes `{address}` and `{name}`: only addresses, or only DNS names, would be right")]
    MixedReplicas {
        /// The first address.
        address: String,
        /// The first DNS name.
        name: String,
    },
    /// Two functions behind one host.
    #[error(
        "`host` is {host}, as for function `{other}` at line {line}: a host of its own for each of them would be right"
    )]
    HostTaken {
        /// The host both take, in backticks, or the word for any.
        host: String,
        /// The function that came first.
        other: String,
        /// Where that function stands.
        line: u64,
    },
    /// An annotation is wrong.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl Problem {
    /// `field` is `found`, words for what it isn't allowed to be.
    pub(super) fn wrong(field: &str, found: String, expected: &'static str) -> Self {
        Self::Wrong { field: field.to_owned(), found, expected }
    }

    /// `field` is a text that it doesn't take.
    pub(super) fn wrong_text(field: &str, text: &str, expected: &'static str) -> Self {
        Self::wrong(field, format!("`{text}`"), expected)
    }
}
