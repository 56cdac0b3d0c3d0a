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
    /// What it does with the processor.
    pub(super) cores: Cores,
    pub(super) run: fn(&Supplies) -> Result<Outcome>,
}

impl Part {
    pub(super) const fn quick(
        name: &'static str,
        what: &'static str,
        run: fn(&Supplies) -> Result<Outcome>,
    ) -> Self {
        Self { name, what, quick: true, cores: Cores::All, run }
    }

    pub(super) const fn long(
        name: &'static str,
        what: &'static str,
        run: fn(&Supplies) -> Result<Outcome>,
    ) -> Self {
        Self { name, what, quick: false, cores: Cores::All, run }
    }

    /// The same, of a part that uses the processor so.
    pub(super) const fn with(self, cores: Cores) -> Self {
        Self { cores, ..self }
    }
}

/// What a part does with the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cores {
    /// It compiles or computes.
    All,
    /// It waits for what it has started: the cells of the matrix take a quarter of two cores.
    Few,
    /// It runs a cluster, and nothing shall run beside it.
    OfCluster,
}

/// What came of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It ran.
    Counted(Tally),
    /// It could not run here, for this reason. That proves nothing, so it counts as nothing.
    NotRun(String),
}
