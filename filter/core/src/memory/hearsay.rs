//! Hearsay: what the workers of a proxy tell each other of a function's pace, so that one that has seen few of its
//! requests knows it too. As text: a line per kind, with the body in microseconds.

use std::fmt::Write as _;
use std::time::Duration;

use super::{KINDS, Memory};
use crate::pace::Pace;
use crate::time::micros;

/// How often the workers tell each other of a function's pace: two host calls a second and function. A worker that
/// sees few of its requests needs longer than that to learn it alone.
pub const TELL_EVERY: Duration = Duration::from_secs(1);

impl Memory {
    /// What this worker can tell; nothing while it knows too little itself.
    #[must_use]
    pub fn tell(&self) -> Option<String> {
        let mut text = String::new();
        for (kind, body) in self.kinds.iter().filter_map(|(kind, pace, _)| Some((kind, pace.body()?))) {
            // Writing to a string can't fail.
            let _ = writeln!(text, "{kind} {}", micros(body));
        }
        Some(text).filter(|text| !text.is_empty())
    }

    /// Some kind of request is one that this worker would like to be told of.
    #[must_use]
    pub fn is_curious(&self) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|(_, pace, _)| pace.body().is_none())
    }

    /// Takes in what another worker told. A line of another form is passed over.
    pub fn hear(&mut self, text: &str) {
        for (kind, micros) in text.lines().filter_map(|line| line.split_once(' ')) {
            if let (Ok(kind), Ok(micros)) = (kind.parse(), micros.parse()) {
                self.told(kind, Duration::from_micros(micros));
            }
        }
    }

    fn told(&mut self, kind: u32, body: Duration) {
        if self.place(kind).is_none() && self.kinds.len() < KINDS {
            self.kinds.push((kind, Pace::default(), self.requests));
        }
        if let Some((_, pace, _)) = self.place(kind).and_then(|place| self.kinds.get_mut(place)) {
            pace.told(body);
        }
    }
}
