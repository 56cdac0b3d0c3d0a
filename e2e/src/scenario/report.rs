//! A scenario's report: its trials, for people as tables and for programs as JSON.

use std::fmt;

use serde::Serialize;

use super::{Felt, Scenario, tables};

/// What came of a scenario.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Its name.
    pub scenario: &'static str,
    /// What the fault does.
    pub effect: &'static str,
    /// One after the other.
    pub trials: Vec<Trial>,
}

/// One of its trials.
#[derive(Debug, Serialize)]
pub struct Trial {
    /// The keys that protected the function, or that nothing did.
    pub with: String,
    /// What was felt.
    #[serde(flatten)]
    pub felt: Felt,
}

impl Report {
    /// That of a scenario which is about to begin.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self { scenario: scenario.name, effect: scenario.fault.effect(), trials: Vec::new() }
    }

    /// Adds a trial that is over.
    pub fn add(&mut self, with: &str, felt: Felt) {
        self.trials.push(Trial { with: with.to_owned(), felt });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.scenario, self.effect)?;
        writeln!(f, "{}", tables::felt(&self.trials))?;
        let used = tables::used(&self.trials);
        if used.is_empty() { Ok(()) } else { writeln!(f, "{used}") }
    }
}
