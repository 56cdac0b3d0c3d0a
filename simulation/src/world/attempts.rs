//! Attempts: from the proxy to a replica and back.

use std::time::Duration;

use steadfaas_core::time::millis;

use super::World;
use crate::agenda::{Ending, Event};
use crate::load::{MS, Time};
use crate::replica::Condition;
use crate::router::{CONNECT_TIMEOUT, CONNECTING, Next, ONE_WAY, TIMER_SLACK};

/// One attempt of a request.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) request: usize,
    pub(super) replica: usize,
    /// The proxy waits for it no longer.
    pub(super) is_over: bool,
    /// Another one was started beside it, for it was late.
    was_retried: bool,
}

impl World {
    /// Starts the next attempt of a request.
    pub(super) fn start(&mut self, number: usize) {
        let Some(request) = self.requests.get_mut(number) else { return };
        let replica = request.next_place().unwrap_or_else(|| self.chance.place(self.replicas.len()));
        let hedge_after = request.planned.as_ref().and_then(|planned| planned.plan.hedge_after);
        let pool = request.pools * self.scenario.replicas + replica;
        let attempt = self.attempts.len();
        request.open.push(attempt);
        self.attempts.push(Attempt { request: number, replica, is_over: false, was_retried: false });
        match self.connect(pool, replica) {
            Err(after) => self.agenda.put(self.now + after, Event::Heard(attempt, Ending::NotConnected)),
            Ok(after) => {
                self.written(number);
                let sent = self.now + after;
                self.agenda.put(sent + ONE_WAY, Event::Reached(attempt));
                if let Some(delay) = hedge_after {
                    let slack = self.chance.below(TIMER_SLACK);
                    self.agenda.put(sent + in_micros(delay) + slack, Event::Late(attempt));
                }
            }
        }
    }

    fn written(&mut self, number: usize) {
        self.count.written += 1;
        if let Some(request) = self.requests.get_mut(number) {
            request.written += 1;
        }
    }

    /// How long it takes until there is a connection, or until that has failed.
    fn connect(&mut self, pool: usize, replica: usize) -> Result<Time, Time> {
        if self.pools.get_mut(pool).is_some_and(|pool| pool.take(self.now)) {
            return Ok(0);
        }
        let Some(replica) = self.replicas.get_mut(replica) else { return Err(0) };
        match replica.condition {
            Condition::Dead => Err(CONNECTING),
            Condition::Lost => Err(CONNECT_TIMEOUT),
            Condition::Frozen if !replica.has_room() => Err(CONNECT_TIMEOUT),
            Condition::Up | Condition::Frozen => {
                replica.accept();
                Ok(CONNECTING)
            }
        }
    }

    /// An attempt is at its replica.
    pub(super) fn reach(&mut self, number: usize) {
        let Some(place) = self.attempts.get(number).map(|attempt| attempt.replica) else { return };
        let Some(replica) = self.replicas.get_mut(place) else { return };
        let back = self.now + ONE_WAY;
        match replica.condition {
            Condition::Lost => {}
            Condition::Dead => self.agenda.put(back, Event::Heard(number, Ending::Reset)),
            Condition::Up if self.chance.is(replica.manners.unavailable_share) => {
                replica.received += 1;
                self.agenda.put(back, Event::Heard(number, Ending::Unavailable));
            }
            Condition::Up | Condition::Frozen => {
                replica.receive(number);
                self.work(place);
            }
        }
    }

    /// A replica takes up what it has workers for.
    pub(super) fn work(&mut self, place: usize) {
        let Some(replica) = self.replicas.get_mut(place) else { return };
        while let Some(attempt) = replica.begin() {
            let of = self.attempts.get(attempt).and_then(|attempt| self.requests.get(attempt.request));
            let slow_path = self.scenario.slow_path.filter(|_| of.is_some_and(|of| of.is_slow_path));
            let service = slow_path.unwrap_or(self.scenario.service);
            let takes = service.draw(&mut self.chance) + replica.manners.delay(&mut self.chance);
            // Schedulers and sleeps are never exact.
            let takes = takes + self.chance.below(MS / 4);
            let life = replica.life;
            self.agenda.put(self.now + takes, Event::Worked { replica: place, attempt, life });
        }
    }

    /// A replica is done with an attempt.
    pub(super) fn work_done(&mut self, place: usize, number: usize, life: u32) {
        let Some(replica) = self.replicas.get_mut(place).filter(|replica| replica.life == life) else {
            return;
        };
        if replica.finish(number) {
            let is_reset = self.chance.is(replica.manners.reset_share);
            let ending = if is_reset { Ending::Reset } else { Ending::Good };
            self.agenda.put(self.now + ONE_WAY, Event::Heard(number, ending));
        }
        self.work(place);
    }

    /// The proxy hears how an attempt ended.
    pub(super) fn hear(&mut self, number: usize, ending: Ending) {
        let Some(attempt) = self.attempts.get_mut(number).filter(|attempt| !attempt.is_over) else { return };
        attempt.is_over = true;
        let (of, replica, was_retried) = (attempt.request, attempt.replica, attempt.was_retried);
        let Some(request) = self.requests.get_mut(of) else { return };
        request.open.retain(|open| *open != number);
        if matches!(ending, Ending::Good | Ending::Unavailable) {
            let pool = request.pools * self.scenario.replicas + replica;
            self.pools.get_mut(pool).into_iter().for_each(|pool| pool.put(self.now));
        }
        match request.ended(ending, was_retried) {
            Next::Over(end) => self.finish(of, end, Some(replica)),
            Next::Retry(below_ms) => self.back_off(of, below_ms),
            Next::Wait => {}
        }
    }

    /// An attempt is late: another one starts beside it.
    pub(super) fn late(&mut self, number: usize) {
        let Some(attempt) = self.attempts.get_mut(number).filter(|attempt| !attempt.is_over) else { return };
        let Some(request) = self.requests.get_mut(attempt.request) else { return };
        if let Some(below_ms) = request.hedge() {
            attempt.was_retried = true;
            request.was_hedged = true;
            let of = attempt.request;
            self.back_off(of, below_ms);
        }
    }

    fn back_off(&mut self, request: usize, below_ms: u64) {
        let wait = self.chance.below(below_ms) * MS + self.chance.below(TIMER_SLACK);
        self.agenda.put(self.now + wait, Event::Again(request));
    }

    /// The back-off of a request is over.
    pub(super) fn again(&mut self, number: usize) {
        let Some(request) = self.requests.get_mut(number).filter(|request| request.planned.is_some()) else {
            return;
        };
        request.pending -= 1;
        self.start(number);
    }
}

fn in_micros(span: Duration) -> Time {
    millis(span) * MS
}
