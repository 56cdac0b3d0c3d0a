//! One part of the proof: what it is called, what it shows, how it is run.

use anyhow::Result;

use super::tally::Tally;
use crate::supplies::Supplies;

/// A part that can be asked for by name.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    /// Whether it is done within a minute, once compiled: what one runs between two edits.
    pub(super) quick: bool,
    pub(super) run: fn(&Supplies) -> Result<Outcome>,
}

impl Part {
    pub(super) const fn quick(
        name: &'static str,
        what: &'static str,
        run: fn(&Supplies) -> Result<Outcome>,
    ) -> Self {
        Self { name, what, quick: true, run }
    }

    pub(super) const fn long(
        name: &'static str,
        what: &'static str,
        run: fn(&Supplies) -> Result<Outcome>,
    ) -> Self {
        Self { name, what, quick: false, run }
    }
}

/// What came of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It ran.
    Counted(Tally),
    /// It could not run here, for this reason. That proves nothing, so it counts as nothing.
    NotRun(String),
}
