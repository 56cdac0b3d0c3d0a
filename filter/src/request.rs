//! One request: planned when its headers come, learned from when it is over.

use std::rc::Rc;
use std::time::Duration;

use steadfaas_core::envoy::{HEDGE_HEADER, REPLICAS_HEADER, RETRY_MARK_HEADER, property};
use steadfaas_core::headers::{authority, pairs};
use steadfaas_core::lane::{InFlight, Lane};
use steadfaas_core::outcome::{End, Outcome, hedged_early, is_plain, learn};
use steadfaas_core::plan::{Deadline, Plan};
use steadfaas_core::request::{Kind, RequestFacts, RetryHeader};
use steadfaas_core::sight::Sight;
use steadfaas_core::strategy::{Situation, silent};
use steadfaas_core::time::{Micros, Millis};
use steadfaas_core::view::Roles;
use steadfaas_host as host;

use crate::function::{Function, Guard, Protection};
use crate::metrics::FunctionMetrics;
use crate::report;
use crate::sharing::Bell;
use crate::worker::Worker;

/// A request that got a plan.
pub(crate) struct Planned {
    function: Rc<Function>,
    guard: Rc<Guard>,
    sight: Sight,
    shape: u32,
    began: Micros,
    plan: Plan,
    in_flight: Option<InFlight>,
    looks_closer: bool,
}

impl Planned {
    /// Plans the request whose headers are there; nothing if it passes as if the filter were not there. `is_whole`: it
    /// has no body to come.
    pub(crate) fn of_request(worker: &Worker, is_whole: bool) -> Option<Box<Self>> {
        // Both cost about the same: where headers say which function is meant, the proxy isn't asked.
        let own_routes = worker.configuration().own_routes;
        let read = own_routes.then(host::request_headers);
        let function = worker.function_of_request(read.as_deref().and_then(authority))?;
        let protection = function.protection(worker.policy_epoch());
        if matches!(protection, Protection::None) {
            return None;
        }
        let headers = read.unwrap_or_else(host::request_headers);
        let facts = RequestFacts::read(pairs(&headers));
        #[cfg(feature = "panic-on-request")]
        panic_if_asked(&headers);
        let guard = match protection {
            Protection::None => return None,
            Protection::Refused(reason, metrics) => return pass_through(&metrics, reason, &facts),
            Protection::Active(guard) => guard,
        };
        match facts.kind {
            Kind::Call => {}
            Kind::Probe => return pass_through(&guard.metrics, "probe", &facts),
            Kind::Upgrade => return pass_through(&guard.metrics, "upgrade", &facts),
        }
        let began = host::clock();
        let sight = function.sight(&worker.bell, began.millis());
        if sight.view.replicas.is_empty() {
            return pass_through(&guard.metrics, "no_view", &facts);
        }
        // The route says it already, unless the client had said otherwise.
        let route_hedges = own_routes && !facts.client_sent(RetryHeader::Hedge);
        let planned = Box::new(Self::new(&worker.bell, function, guard, sight, &facts, is_whole, began));
        planned.plan.write(
            &planned.guard.policy,
            &planned.sight.view,
            &facts,
            &mut |name, value| match value {
                Some(_) if route_hedges && name == HEDGE_HEADER => {}
                Some(value) => host::set_request_header(name, value),
                None => host::remove_request_header(name),
            },
        );
        planned.guard.metrics.request();
        Some(planned)
    }

    fn new(
        bell: &Bell,
        function: Rc<Function>,
        guard: Rc<Guard>,
        mut sight: Sight,
        facts: &RequestFacts,
        is_whole: bool,
        began: Micros,
    ) -> Self {
        let (policy, now) = (&guard.policy, began.millis());
        let may_repeat = facts.may_repeat(policy.idempotent) && !facts.is_within_repetition;
        let terms = guard.memory.borrow_mut().request(facts.shape, policy, may_repeat, now);
        if let Some(place) = silent(&sight.view, &sight.lanes, began) {
            function.set_aside(bell, &guard, &sight, place);
            sight = function.sight(bell, now);
        }
        let may_run_again = terms.allow_repetition(policy.strategy, may_repeat);
        let check = claim_check(bell, &function, &Roles::of(policy), &mut sight, may_run_again, now);
        let turn = function.next_turn();
        let (view, lanes) = (&*sight.view, &*sight.lanes);
        let mut plan = Situation { policy, view, lanes, may_repeat, terms, turn, now }.plan(check);
        plan.deadline = Deadline::of(policy.deadline, facts.deadline, now);
        let expected = terms.expected().filter(|_| is_whole);
        let lane = plan.first().and_then(|place| sight.lanes.get(place));
        let in_flight = lane.map(|lane| InFlight::enter(lane, expected, began));
        let (shape, looks_closer) = (facts.shape, function.closer_looks.take(turn, now));
        Self { function, guard, sight, shape, began, plan, in_flight, looks_closer }
    }

    /// The headers of its answer are there, and shall say what happened.
    pub(crate) fn answered(&self) {
        let attempts = host::number_property(property::ATTEMPTS).unwrap_or(0);
        let address = host::text_property(property::UPSTREAM_ADDRESS).unwrap_or_default();
        report::answer(&report::sentence(self.guard.policy.strategy.as_str(), attempts, &address));
    }

    /// It is over: what it has taught.
    pub(crate) fn learn(&self, worker: &Worker) {
        let now = host::clock();
        let latency = now.since(self.began);
        let attempts = self.attempts(worker, latency);
        let is_unflagged = || host::number_property(property::RESPONSE_FLAGS) == Some(0);
        let is_last_hope = self.function.has_lost_all_since(&self.sight);
        if !is_last_hope
            && is_plain(&self.plan, attempts, self.in_flight.as_ref(), self.looks_closer, is_unflagged)
        {
            self.remember(&Outcome::plain(&self.plan, latency), now.millis());
            return;
        }
        let metrics = &self.guard.metrics;
        metrics.extra_attempts(attempts.saturating_sub(1));
        let address = host::text_property(property::UPSTREAM_ADDRESS).unwrap_or_default();
        if attempts > 1 {
            report::log(&report::sentence(self.guard.policy.strategy.as_str(), attempts, &address));
        }
        let flags = host::number_property(property::RESPONSE_FLAGS).unwrap_or(0);
        let outcome = Outcome {
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            replica: self.sight.view.find(&address),
            latency,
            end: End::of(flags, host::number_property(property::RESPONSE_CODE)),
        };
        if let Some((asked, took)) = hedged_early(&self.plan, &outcome) {
            worker.ticks.borrow_mut().went_off(asked, took);
        }
        self.remember(&outcome, now.millis());
        let lane_at = |place: usize| self.lane_at(place);
        let strategy = self.guard.policy.strategy;
        let lessons = learn(strategy, &self.plan, &outcome, &lane_at, is_last_hope, now);
        if lessons.failover {
            metrics.failover();
        }
        metrics.suspected(self.function.apply(&worker.bell, &self.guard.policy, &self.sight, &lessons));
    }

    /// How many attempts Envoy made; zero if it made none.
    fn attempts(&self, worker: &Worker, latency: Duration) -> u64 {
        let is_marked = worker.configuration().own_routes && self.plan.first().is_some();
        // The router marks each attempt but the first, before which it takes the list away. Where it makes none it says so
        // sooner than any replica has answered yet.
        let was_tried = || {
            !self.guard.memory.borrow().is_quickest(self.shape, latency)
                || !host::has_request_header(REPLICAS_HEADER)
        };
        if is_marked && !host::has_request_header(RETRY_MARK_HEADER) && was_tried() {
            return 1;
        }
        host::number_property(property::ATTEMPTS).unwrap_or(0)
    }

    fn lane_at(&self, place: usize) -> Option<&Lane> {
        self.sight.lanes.get(place).map(Rc::as_ref)
    }

    fn remember(&self, outcome: &Outcome, now: Millis) {
        let mut memory = self.guard.memory.borrow_mut();
        let is_losing = self.in_flight.as_ref().is_some_and(|place| place.lane().is_losing());
        memory.learn(self.shape, &self.plan, outcome, is_losing, now);
        let times = memory.times_usual(self.shape, outcome.latency);
        outcome.tell(&self.plan, &|place| self.lane_at(place), times);
    }
}

fn pass_through(
    metrics: &FunctionMetrics,
    reason: &'static str,
    facts: &RequestFacts,
) -> Option<Box<Planned>> {
    metrics.passed_through(reason);
    if facts.client_sent(RetryHeader::Replicas) {
        host::remove_request_header(REPLICAS_HEADER);
    }
    None
}

/// A replica that this request shall be led to, if one is due and no other worker was quicker.
fn claim_check(
    bell: &Bell,
    function: &Function,
    roles: &Roles<'_>,
    sight: &mut Sight,
    may_run_again: bool,
    now: Millis,
) -> Option<usize> {
    if sight.view.next_due(roles).is_none_or(|due| due > now) {
        return None;
    }
    let place = sight.view.due(roles, may_run_again, now)?;
    let address = sight.view.replicas.get(place)?.address.clone();
    let claimed = function.change_view(bell, &mut |view| match view.find(&address) {
        Some(place) => view.claim(place, now),
        None => false,
    });
    *sight = function.sight(bell, now);
    sight.view.find(&address).filter(|_| claimed)
}

#[cfg(feature = "panic-on-request")]
#[allow(clippy::panic, reason = "the test build of the filter fails on demand")]
fn panic_if_asked(headers: &[u8]) {
    if pairs(headers).any(|(name, _)| name == b"x-steadfaas-test-panic") {
        panic!("asked for by x-steadfaas-test-panic");
    }
}
