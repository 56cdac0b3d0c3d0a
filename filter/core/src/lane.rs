//! A lane: what one worker alone knows of one replica, from the requests that it sent there itself.

use std::cell::Cell;
use std::rc::Rc;

use crate::time::Millis;

/// What one worker alone knows of one replica.
#[derive(Debug, Default)]
pub struct Lane {
    in_flight: Cell<u32>,
    losses: Cell<u32>,
    last_loss: Cell<Millis>,
}

impl Lane {
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

/// A request's place in the lane of the replica that it was led to first; given back when it is dropped, however the
/// request ends.
#[derive(Debug)]
pub struct InFlight(Rc<Lane>);

impl InFlight {
    /// Takes a place.
    #[must_use]
    pub fn enter(lane: &Rc<Lane>) -> Self {
        lane.in_flight.set(lane.in_flight.get().saturating_add(1));
        Self(lane.clone())
    }

    /// The lane.
    #[must_use]
    pub fn lane(&self) -> &Lane {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get().saturating_sub(1));
    }
}
