//! One thing that is wrong, and what mends it.

use serde::Serialize;

/// How much it matters; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A function isn't protected, or a failure that its policy promises to survive would fail requests.
    Problem,
    /// Protection holds, but less well than it could, or not in each case.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The check's name: stays the same whatever the words are.
    pub check: &'static str,
    /// What it is about, such as `ksvc default/fib`.
    pub object: String,
    /// What is wrong and what comes of it.
    pub says: String,
    /// The command that mends it, or the one setting, ready to be copied.
    pub mend: String,
}

impl Finding {
    pub(super) fn problem(check: &'static str, object: impl Into<String>) -> Started {
        Started { severity: Severity::Problem, check, object: object.into() }
    }

    pub(super) fn warning(check: &'static str, object: impl Into<String>) -> Started {
        Started { severity: Severity::Warning, check, object: object.into() }
    }

    pub(super) fn note(check: &'static str, object: impl Into<String>) -> Started {
        Started { severity: Severity::Note, check, object: object.into() }
    }
}

/// A finding without its words.
pub(super) struct Started {
    severity: Severity,
    check: &'static str,
    object: String,
}

impl Started {
    pub(super) fn says(self, says: impl Into<String>, mend: impl Into<String>) -> Finding {
        let Self { severity, check, object } = self;
        Finding { severity, check, object, says: says.into(), mend: mend.into() }
    }
}
