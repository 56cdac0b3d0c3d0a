//! A lane: what one worker alone knows of one replica, from the requests that it sent there itself.

use std::cell::Cell;

use crate::time::Millis;

/// What one worker alone knows of one replica.
#[derive(Debug, Default)]
pub struct Lane {
    in_flight: Cell<u32>,
    losses: Cell<u32>,
    last_loss: Cell<Millis>,
}

impl Lane {
    /// A request was led to the replica first.
    pub fn enter(&self) {
        self.in_flight.set(self.in_flight.get().saturating_add(1));
    }

    /// That request is over.
    pub fn leave(&self) {
        self.in_flight.set(self.in_flight.get().saturating_sub(1));
    }

    /// Requests of this worker that were led to the replica first and are not over.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight.get()
    }

    /// How many starts the replica has lost since it last won a race.
    #[must_use]
    pub fn losses(&self) -> u32 {
        self.losses.get()
    }

    /// When it last lost one.
    #[must_use]
    pub fn last_loss(&self) -> Millis {
        self.last_loss.get()
    }

    pub(crate) fn lost(&self, now: Millis) {
        self.losses.set(self.losses.get().saturating_add(1));
        self.last_loss.set(now);
    }

    pub(crate) fn won(&self) {
        self.losses.set(0);
    }
}
