//! A modelled proxy as far as the filter goes: what it does with core's state machines when a request comes, when it
//! is over and at each tick. The same calls in the same order as in `filter/src/request.rs` and
//! `filter/src/function.rs`.

use std::rc::Rc;
use std::time::Duration;

use steadfaas_core::admin::Host;
use steadfaas_core::gray;
use steadfaas_core::lane::{InFlight, Lane};
use steadfaas_core::lease;
use steadfaas_core::memory::{Memory, TELL_EVERY};
use steadfaas_core::outcome::{CloserLooks, End, Lessons, Outcome, is_plain, learn};
use steadfaas_core::pace::COLD_DELAY;
use steadfaas_core::plan::Plan;
use steadfaas_core::policy::Policy;
use steadfaas_core::strategy::{Situation, silent};
use steadfaas_core::time::{Micros, Millis};
use steadfaas_core::view::{Roles, View};

/// One proxy: a view, and workers.
pub(crate) struct Proxy {
    policy: Rc<Policy>,
    hosts: Vec<Host>,
    view: Rc<View>,
    workers: Vec<Worker>,
    next_look: Millis,
    /// What a worker last told the others of the pace.
    told: String,
    /// What it did, for whoever counts.
    pub(crate) did: Did,
}

/// What a proxy did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Did {
    /// Requests that were led to a replica to hear from it.
    pub(crate) checks: u64,
    /// Those of them that were a suspect's trial.
    pub(crate) trials: u64,
    /// Replicas set aside because they were silent.
    pub(crate) set_aside_silent: u64,
    /// Replicas set aside because they were much slower than their peers.
    pub(crate) set_aside_slower: u64,
    /// Replicas set aside for whatever reason.
    pub(crate) set_aside: u64,
    /// Times that the last well replica was set aside by [`gray`].
    pub(crate) last_one_set_aside: u64,
    /// Requests that were planned before the function's speed was known.
    pub(crate) cold: u64,
}

struct Worker {
    memory: Memory,
    lanes: Vec<Rc<Lane>>,
    turn: usize,
    closer_looks: CloserLooks,
    last_request: Millis,
    next_word: Millis,
}

/// A request that got a plan.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    view: Rc<View>,
    worker: usize,
    kind: u32,
    began: Micros,
    in_flight: Option<InFlight>,
    looks_closer: bool,
}

impl Proxy {
    pub(crate) fn new(policy: &Rc<Policy>, addresses: &[String], workers: usize, now: Millis) -> Self {
        let hosts: Vec<Host> = addresses.iter().map(Host::well).collect();
        let mut view = View::default();
        view.observe(&hosts, &Roles::of(policy), now);
        let worker = |_| Worker {
            memory: Memory::new(policy),
            lanes: hosts.iter().map(|_| Rc::default()).collect(),
            turn: 0,
            closer_looks: CloserLooks::default(),
            last_request: Millis::default(),
            next_word: Millis::default(),
        };
        Self {
            policy: policy.clone(),
            view: Rc::new(view),
            workers: (0..workers).map(worker).collect(),
            hosts,
            next_look: now.after(lease::QUIET),
            told: String::new(),
            did: Did::default(),
        }
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// The most that its workers may have spent by now: the burst of each.
    pub(crate) fn bursts(&self) -> u64 {
        self.workers.iter().map(|worker| worker.memory.budget().burst()).sum()
    }

    /// A request has come.
    pub(crate) fn plan(
        &mut self,
        worker: usize,
        kind: u32,
        may_repeat: bool,
        began: Micros,
    ) -> Option<Planned> {
        let (now, policy) = (began.millis(), self.policy.clone());
        let asked = self.workers.get_mut(worker)?;
        asked.last_request = now;
        let terms = asked.memory.request(kind, &policy, may_repeat, now);
        let lanes = asked.lanes.clone();
        self.did.cold += u64::from(terms.delay >= COLD_DELAY);
        if let Some(place) = silent(&self.view, &lanes, began) {
            self.did.set_aside_silent += self.set_aside(place, now);
        }
        let check = self.claim_check(terms.allow_repetition(policy.strategy, may_repeat), now);
        let turn = self.next_turn(worker);
        let looks_closer = self.workers.get(worker)?.closer_looks.take(turn, now);
        let view = self.view.clone();
        let situation =
            Situation { policy: &policy, view: &view, lanes: &lanes, may_repeat, terms, turn, now };
        let plan = situation.plan(check);
        let lane = plan.first().and_then(|place| lanes.get(place));
        let in_flight = lane.map(|lane| InFlight::enter(lane, terms.expected(), began));
        Some(Planned { plan, view, worker, kind, began, in_flight, looks_closer })
    }

    fn next_turn(&mut self, worker: usize) -> usize {
        let Some(worker) = self.workers.get_mut(worker) else { return 0 };
        worker.turn += 1;
        worker.turn - 1
    }

    fn claim_check(&mut self, may_run_again: bool, now: Millis) -> Option<usize> {
        let policy = self.policy.clone();
        let roles = Roles::of(&policy);
        if self.view.next_due(&roles).is_none_or(|due| due > now) {
            return None;
        }
        let place = self.view.due(&roles, may_run_again, now)?;
        let mut view = View::clone(&self.view);
        if !view.claim(place, now) {
            return None;
        }
        self.did.checks += 1;
        let is_trial = view.replicas.get(place).is_some_and(|replica| replica.suspicion.is_some());
        self.did.trials += u64::from(is_trial);
        self.view = Rc::new(view);
        Some(place)
    }

    /// A request is over. `attempts`: how many were made; `flagged`: the connection broke, or the client left.
    pub(crate) fn learn(&mut self, planned: &Planned, outcome: &Outcome, now: Micros) {
        let is_last_hope = self.view.has_lost_all_since(&planned.view);
        if !is_last_hope && planned.is_plain(outcome) {
            let plain = Outcome::plain(&planned.plan, outcome.latency);
            self.remember(planned, &plain, now.millis());
            return;
        }
        self.remember(planned, outcome, now.millis());
        let Some(worker) = self.workers.get(planned.worker) else { return };
        let lane_at = |place: usize| worker.lanes.get(place).map(Rc::as_ref);
        let strategy = self.policy.strategy;
        let lessons = learn(strategy, &planned.plan, outcome, &lane_at, is_last_hope, now);
        self.apply(&planned.view, &lessons, now.millis());
    }

    fn remember(&mut self, planned: &Planned, outcome: &Outcome, now: Millis) {
        let Some(worker) = self.workers.get_mut(planned.worker) else { return };
        let is_losing = planned.in_flight.as_ref().is_some_and(|place| place.lane().is_losing());
        worker.memory.learn(planned.kind, &planned.plan, outcome, is_losing, now);
        let times = worker.memory.times_usual(planned.kind, outcome.latency);
        let lane_at = |place: usize| worker.lanes.get(place).map(Rc::as_ref);
        outcome.tell(&planned.plan, &lane_at, times);
    }

    fn apply(&mut self, planned_with: &View, lessons: &Lessons, now: Millis) -> u64 {
        if lessons.say_nothing_of_replicas() {
            return 0;
        }
        let policy = self.policy.clone();
        let mut view = View::clone(&self.view);
        let learned = view.take_in(planned_with, lessons, &Roles::of(&policy), now);
        if learned.changed {
            self.view = Rc::new(view);
            self.next_look = now;
        }
        self.did.set_aside += learned.set_aside;
        learned.set_aside
    }

    fn set_aside(&mut self, place: usize, now: Millis) -> u64 {
        let view = self.view.clone();
        self.apply(&view, &Lessons::of_silence(place), now)
    }

    /// A worker's tick.
    pub(crate) fn tick(&mut self, worker: usize, now: Millis) {
        if worker == 0 && self.next_look <= now {
            self.look(now);
        }
        let Some(ticking) = self.workers.get_mut(worker) else { return };
        if now.since(ticking.last_request) > TELL_EVERY {
            return;
        }
        // Modelled timers are exact.
        ticking.memory.settle(Duration::ZERO);
        let slow = gray::much_slower(&self.view, &ticking.lanes);
        if ticking.next_word <= now {
            ticking.next_word = now.after(TELL_EVERY);
            ticking.talk(&mut self.told);
        }
        if let Some(place) = slow {
            self.did.set_aside_slower += self.set_aside(place, now);
            self.did.last_one_set_aside += u64::from(self.view.well() == 0);
        }
    }

    /// The admin endpoint's answer: all are there, for nobody probes them here.
    fn look(&mut self, now: Millis) {
        let policy = self.policy.clone();
        let mut view = View::clone(&self.view);
        if view.observe(&self.hosts, &Roles::of(&policy), now) {
            self.view = Rc::new(view);
        }
        self.next_look = now.after(lease::pause(Duration::ZERO, self.view.is_uneasy()));
    }
}

impl Worker {
    /// Tells the other workers of the pace, and listens to them.
    fn talk(&mut self, told: &mut String) {
        if let Some(pace) = self.memory.tell() {
            *told = pace;
        }
        if self.memory.is_curious() {
            self.memory.hear(told);
        }
    }
}

impl Planned {
    /// How long it has taken by `now`.
    pub(crate) fn latency(&self, now: Micros) -> std::time::Duration {
        now.since(self.began)
    }

    fn is_plain(&self, outcome: &Outcome) -> bool {
        let is_unflagged = || !matches!(outcome.end, End::Broken | End::Other);
        let (attempts, in_flight) = (u64::from(outcome.attempts), self.in_flight.as_ref());
        is_plain(&self.plan, attempts, in_flight, self.looks_closer, is_unflagged)
    }
}
