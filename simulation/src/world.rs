//! The world of one run: clients, proxies, replicas, and a clock that jumps from event to event.

mod attempts;
mod faults;

use std::rc::Rc;
use std::time::Duration;

use steadfaas_core::outcome::{End, Outcome};
use steadfaas_core::policy::{Policy, PolicyError, WrittenPolicy};
use steadfaas_core::time::Micros;

use crate::agenda::{Agenda, Event};
use crate::chance::Chance;
use crate::load::{MS, SECOND, Time};
use crate::pool::Pool;
use crate::proxy::Proxy;
use crate::replica::Replica;
use crate::router::{CLIENT_TIMEOUT, Request};
use crate::scenario::Scenario;
use crate::seen::{Count, Record, Seen};

use attempts::Attempt;

/// Time between two ticks of a worker, as in the filter.
const TICK: Time = 100 * MS;

/// How the proxy's clock stood when the run began: it never shows zero.
const EPOCH: Time = 1_000 * SECOND;

/// One run of a scenario.
pub(crate) struct World {
    scenario: Scenario,
    now: Time,
    agenda: Agenda,
    chance: Chance,
    arrivals: Chance,
    came: u64,
    last_due: Time,
    requests: Vec<Request>,
    attempts: Vec<Attempt>,
    replicas: Vec<Replica>,
    proxies: Vec<Proxy>,
    pools: Vec<Pool>,
    before: Vec<u64>,
    target: Option<usize>,
    records: Vec<Record>,
    count: Count,
}

/// Runs a scenario to its end.
///
/// # Errors
/// The policy's own, if its settings make none.
pub fn run(scenario: &Scenario) -> Result<Seen, PolicyError> {
    let settings = scenario.settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let policy = Rc::new(Policy::compile(&WrittenPolicy::new("simulated", settings))?);
    let mut world = World::new(scenario, &policy);
    world.begin();
    while let Some((at, event)) = world.agenda.next() {
        world.now = at;
        world.happen(event);
    }
    Ok(world.seen())
}

impl World {
    fn new(scenario: &Scenario, policy: &Rc<Policy>) -> Self {
        // In order of their text: a place in a view is the number of a replica.
        let addresses: Vec<String> = (0..scenario.replicas).map(|n| format!("10.0.0.{n:03}:80")).collect();
        let proxy = |_| Proxy::new(policy, &addresses, scenario.workers, clock(0).millis());
        Self {
            now: 0,
            agenda: Agenda::default(),
            chance: Chance::of(scenario.seed),
            arrivals: Chance::of(!scenario.seed),
            came: 0,
            last_due: 0,
            requests: Vec::new(),
            attempts: Vec::new(),
            replicas: (0..scenario.replicas).map(|_| Replica::new(scenario.concurrency)).collect(),
            proxies: (0..scenario.proxies).map(proxy).collect(),
            pools: vec![Pool::default(); scenario.proxies * scenario.workers * scenario.replicas],
            before: vec![0; scenario.replicas],
            target: None,
            records: Vec::new(),
            count: Count::default(),
            scenario: scenario.clone(),
        }
    }

    fn begin(&mut self) {
        self.put_arrival();
        for ticker in 0..self.proxies.len() * self.scenario.workers {
            let phase = self.chance.below(TICK);
            self.agenda.put(phase, Event::Tick(ticker));
        }
        for (place, (at, _)) in self.scenario.acts.iter().enumerate() {
            self.agenda.put(*at, Event::Act(place));
        }
        let look_back = self.scenario.at.saturating_sub(SECOND);
        self.agenda.put(look_back, Event::LookBack);
        self.agenda.put(self.scenario.at, Event::Watch);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrival => self.arrive(),
            Event::LookBack => {
                self.before = self.replicas.iter().map(|replica| replica.received).collect();
            }
            Event::Watch => self.watch(),
            Event::Act(place) => self.act(place),
            Event::Tick(ticker) => self.tick(ticker),
            Event::Reached(attempt) => self.reach(attempt),
            Event::Worked { replica, attempt, life } => self.work_done(replica, attempt, life),
            Event::Heard(attempt, ending) => self.hear(attempt, ending),
            Event::Late(attempt) => self.late(attempt),
            Event::Again(request) => self.again(request),
            Event::ClientLeft(request) => self.finish(request, End::Other, None),
        }
    }

    fn watch(&mut self) {
        self.count.written_before = self.count.written;
        self.count.hedged_before = self.count.hedged;
        self.count.requests_before = self.count.requests;
        self.count.in_flight = self.count.requests - self.count.over;
        self.count.checks_before = self.proxies.iter().map(|proxy| proxy.did.checks).sum();
        self.count.trials_before = self.proxies.iter().map(|proxy| proxy.did.trials).sum();
    }

    fn put_arrival(&mut self) {
        let Scenario { arrivals, rate, lasts, .. } = self.scenario;
        self.last_due = arrivals.next(self.came, self.last_due, rate, &mut self.arrivals);
        self.came += 1;
        if self.last_due < lasts {
            self.agenda.put(self.last_due, Event::Arrival);
        }
    }

    fn arrive(&mut self) {
        self.put_arrival();
        let (proxy, worker) =
            (self.chance.place(self.scenario.proxies), self.chance.place(self.scenario.workers));
        let is_slow_path = self.scenario.slow_path.is_some() && self.came.is_multiple_of(5);
        let may_repeat = self.chance.is(self.scenario.repeatable);
        let now = clock(self.now);
        let Some(chosen) = self.proxies.get_mut(proxy) else { return };
        let retries = chosen.policy().retries();
        let Some(planned) = chosen.plan(worker, u32::from(is_slow_path), may_repeat, now) else { return };
        let pools = proxy * self.scenario.workers + worker;
        let mut request = Request::new(self.now, is_slow_path, planned, retries);
        (request.proxy, request.pools, request.may_repeat) = (proxy, pools, may_repeat);
        self.requests.push(request);
        self.count.requests += 1;
        let number = self.requests.len() - 1;
        self.agenda.put(self.now + CLIENT_TIMEOUT, Event::ClientLeft(number));
        self.start(number);
    }

    fn tick(&mut self, ticker: usize) {
        let (place, worker) = (ticker / self.scenario.workers, ticker % self.scenario.workers);
        if let Some(proxy) = self.proxies.get_mut(place) {
            proxy.tick(worker, clock(self.now).millis());
            if worker == 0 {
                self.inspect(place);
            }
        }
        if self.now < self.scenario.lasts {
            self.agenda.put(self.now + TICK, Event::Tick(ticker));
        }
    }

    /// Compares a proxy's view with what its replicas are really like.
    fn inspect(&mut self, place: usize) {
        let Some(proxy) = self.proxies.get(place) else { return };
        let now = clock(self.now).millis();
        self.count.ticks_without_any_well += u64::from(proxy.view().well() == 0);
        for (known, replica) in proxy.view().replicas.iter().zip(&self.replicas) {
            let Some(suspicion) = known.suspicion.filter(|_| replica.is_well()) else { continue };
            let wrongly = now.since(suspicion.since.max(clock(replica.since).millis()));
            self.count.wrongly_aside_ticks += 1;
            self.count.wrongly_aside_longest = self.count.wrongly_aside_longest.max(wrongly);
        }
    }

    /// A request is over; `winner`: the replica whose answer the client got, or that failed last.
    fn finish(&mut self, number: usize, end: End, winner: Option<usize>) {
        let Some(request) = self.requests.get_mut(number) else { return };
        let Some(planned) = request.planned.take() else { return };
        for open in std::mem::take(&mut request.open) {
            if let Some(attempt) = self.attempts.get_mut(open) {
                attempt.is_over = true;
            }
        }
        let now = clock(self.now);
        let outcome = Outcome {
            attempts: u32::try_from(request.attempts).unwrap_or(u32::MAX),
            replica: winner,
            latency: planned.latency(now),
            end,
        };
        self.count.over += 1;
        self.count.hedged += u64::from(request.was_hedged);
        self.count.most_runs_of_unrepeatable = if request.may_repeat {
            self.count.most_runs_of_unrepeatable
        } else {
            self.count.most_runs_of_unrepeatable.max(request.written)
        };
        self.records.push(Record {
            due: request.due,
            end: self.now,
            is_good: end == End::Answered,
            is_slow_path: request.is_slow_path,
            may_repeat: request.may_repeat,
        });
        if let Some(proxy) = self.proxies.get_mut(request.proxy) {
            proxy.learn(&planned, &outcome, now);
        }
    }

    fn seen(mut self) -> Seen {
        for proxy in &self.proxies {
            self.count.add(&proxy.did);
            self.count.bursts += proxy.bursts();
        }
        self.count.well_at_end = self.proxies.iter().map(|proxy| proxy.view().well()).min();
        Seen::of(&self.scenario, self.records, &self.count)
    }
}

/// The proxies' clock.
fn clock(now: Time) -> Micros {
    Micros(EPOCH).after(Duration::from_micros(now))
}
