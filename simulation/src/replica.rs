//! A modelled replica: workers, a queue before them, and what can be wrong with it.

use std::collections::VecDeque;

use crate::chance::Chance;
use crate::load::{Time, millis};

/// How many connections the kernel of a frozen process lets wait for it: what Linux allows by default, and what Go's
/// servers ask for.
pub const BACKLOG: usize = 4_096;

/// What a replica is like at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It works.
    #[default]
    Up,
    /// Its process is stopped: what is sent to it waits.
    Frozen,
    /// Its process is gone: its port refuses.
    Dead,
    /// Its node is gone: nothing comes back, not even a refusal.
    Lost,
}

/// How a replica that works misbehaves.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Manners {
    /// So many milliseconds longer than usual it takes.
    pub slow_ms: f64,
    /// For this share of its requests.
    pub slow_share: f64,
    /// This share of them it answers with 503, at once.
    pub unavailable_share: f64,
    /// This share of its answers it resets.
    pub reset_share: f64,
}

impl Manners {
    /// So much slower, always.
    #[must_use]
    pub fn slow(slow_ms: f64) -> Self {
        Self { slow_ms, slow_share: 1.0, ..Self::default() }
    }

    pub(crate) fn delay(&self, chance: &mut Chance) -> Time {
        if chance.is(self.slow_share) { millis(self.slow_ms) } else { 0 }
    }
}

/// A modelled replica.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) condition: Condition,
    pub(crate) manners: Manners,
    /// Since when it is as it is.
    pub(crate) since: Time,
    /// How often it has died: work of an earlier life never ends.
    pub(crate) life: u32,
    /// Requests that were written to it.
    pub(crate) received: u64,
    limit: usize,
    /// Connections that wait to be accepted.
    connections: usize,
    /// Attempts that it works on.
    working: Vec<usize>,
    /// Attempts that wait for a worker. Whether anybody still waits for them it doesn't know.
    queue: VecDeque<usize>,
    /// Attempts whose work ended while it was frozen.
    held: Vec<usize>,
}

impl Replica {
    /// One that works on at most `limit` requests at once.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            condition: Condition::Up,
            manners: Manners::default(),
            since: 0,
            life: 0,
            received: 0,
            limit,
            connections: 0,
            working: Vec::new(),
            queue: VecDeque::new(),
            held: Vec::new(),
        }
    }

    /// Takes in an attempt that was written to it.
    pub(crate) fn receive(&mut self, attempt: usize) {
        self.received += 1;
        self.queue.push_back(attempt);
    }

    /// Nothing is wrong with it.
    pub(crate) fn is_well(&self) -> bool {
        self.condition == Condition::Up && self.manners == Manners::default()
    }

    /// Its kernel has room for another connection that waits.
    pub(crate) fn has_room(&self) -> bool {
        self.connections < BACKLOG
    }

    /// A connection is opened. While it is frozen it waits, and stays even if it is given up.
    pub(crate) fn accept(&mut self) {
        self.connections += usize::from(self.condition == Condition::Frozen);
    }

    /// The next attempt to work on, if there is one and a worker is free.
    pub(crate) fn begin(&mut self) -> Option<usize> {
        if self.condition != Condition::Up || self.working.len() >= self.limit {
            return None;
        }
        let attempt = self.queue.pop_front()?;
        self.working.push(attempt);
        Some(attempt)
    }

    /// The work of an attempt is done. Says whether its answer leaves now: a frozen replica holds it.
    pub(crate) fn finish(&mut self, attempt: usize) -> bool {
        if self.condition == Condition::Frozen {
            self.held.push(attempt);
            return false;
        }
        self.working.retain(|other| *other != attempt);
        self.condition == Condition::Up
    }

    /// It dies. Gives the attempts that break.
    pub(crate) fn die(&mut self) -> Vec<usize> {
        self.condition = Condition::Dead;
        self.life += 1;
        self.held.clear();
        self.working.drain(..).chain(self.queue.drain(..)).collect()
    }

    /// It goes on. Gives the attempts whose answers it held.
    pub(crate) fn go_on(&mut self) -> Vec<usize> {
        self.condition = Condition::Up;
        self.connections = 0;
        std::mem::take(&mut self.held)
    }
}
