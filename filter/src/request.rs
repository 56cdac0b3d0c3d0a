//! One request: planned when its headers come, learned from when it is over.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use steadfaas_core::envoy::{REPLICAS_HEADER, property};
use steadfaas_core::headers::pairs;
use steadfaas_core::lane::InFlight;
use steadfaas_core::outcome::{End, Outcome, learn};
use steadfaas_core::plan::Plan;
use steadfaas_core::policy::Policy;
use steadfaas_core::request::{Kind, RequestFacts};
use steadfaas_core::strategy::Situation;
use steadfaas_core::view::Roles;
use steadfaas_host as host;

use crate::function::{Function, Protection, Sight};
use crate::metrics::FunctionMetrics;
use crate::report;
use crate::worker::Worker;

/// One request.
pub(crate) struct Request {
    worker: Option<Rc<Worker>>,
    planned: Option<Planned>,
}

/// A request that got a plan.
struct Planned {
    function: Rc<Function>,
    policy: Rc<Policy>,
    metrics: Rc<FunctionMetrics>,
    sight: Sight,
    plan: Plan,
    in_flight: Option<InFlight>,
    looks_closer: bool,
}

/// Answers that broke off in their middle are looked for in one request of this many: a property read in each would
/// cost every request a percent, and a replica that does it betrays itself soon enough.
const LOOK_CLOSER_EVERY: usize = 4;

impl Request {
    pub(crate) fn new(worker: Option<Rc<Worker>>) -> Self {
        Self { worker, planned: None }
    }

    fn plan(&self) -> Option<Planned> {
        let worker = self.worker.as_deref()?;
        let function = worker.function_of_request()?;
        let protection = function.protection(worker.policy_epoch());
        if matches!(protection, Protection::None) {
            return None;
        }
        let headers = host::request_headers();
        let facts = RequestFacts::read(pairs(&headers));
        #[cfg(feature = "panic-on-request")]
        panic_if_asked(&headers);
        let (policy, metrics) = match protection {
            Protection::None => return None,
            Protection::Refused(reason, metrics) => return pass_through(&metrics, reason, &facts),
            Protection::Active(policy, metrics) => (policy, metrics),
        };
        match facts.kind {
            Kind::Call => {}
            Kind::Probe => return pass_through(&metrics, "probe", &facts),
            Kind::Upgrade => return pass_through(&metrics, "upgrade", &facts),
        }
        let sight = function.sight(&worker.bell);
        if sight.view.replicas.is_empty() {
            return pass_through(&metrics, "no_view", &facts);
        }
        let planned = Planned::new(worker, function, policy, metrics, sight, &facts);
        planned.plan.write(&planned.policy, &planned.sight.view, &facts, &mut |name, value| match value {
            Some(value) => host::set_request_header(name, value),
            None => host::remove_request_header(name),
        });
        planned.metrics.request();
        Some(planned)
    }
}

fn pass_through(metrics: &FunctionMetrics, reason: &'static str, facts: &RequestFacts) -> Option<Planned> {
    metrics.passed_through(reason);
    if facts.client_sent(0) {
        host::remove_request_header(REPLICAS_HEADER);
    }
    None
}

impl Planned {
    fn new(
        worker: &Worker,
        function: Rc<Function>,
        policy: Rc<Policy>,
        metrics: Rc<FunctionMetrics>,
        mut sight: Sight,
        facts: &RequestFacts,
    ) -> Self {
        let may_repeat = facts.may_repeat(policy.idempotent);
        let check = claim_check(worker, &function, &Roles::of(&policy), &mut sight, may_repeat);
        let turn = function.next_turn();
        let situation = Situation {
            policy: &policy,
            view: &sight.view,
            lanes: &sight.lanes,
            may_repeat,
            turn,
            now: worker.now.get(),
        };
        let plan = situation.plan(check);
        let in_flight = plan.first().and_then(|place| sight.lanes.get(place)).map(InFlight::enter);
        let looks_closer = turn.is_multiple_of(LOOK_CLOSER_EVERY);
        Self { function, policy, metrics, sight, plan, in_flight, looks_closer }
    }

    /// Nothing can be learned from this outcome: one attempt that was as good as any. Spares the properties that only
    /// failures and races need. A request that may be repeated and failed has more than one attempt, but for answers
    /// that broke off: one request in [`LOOK_CLOSER_EVERY`] looks for those.
    fn is_plain(&self, attempts: u64) -> bool {
        let is_racing = self.in_flight.as_ref().is_some_and(|place| place.lane().losses() > 0);
        let is_routine = attempts == 1 && !self.plan.is_check && !self.plan.order.is_empty() && !is_racing;
        let spares_flags = self.plan.may_repeat && !self.looks_closer;
        is_routine && (spares_flags || host::number_property(property::RESPONSE_FLAGS) == Some(0))
    }

    fn learn(&mut self, worker: &Worker) {
        let attempts = host::number_property(property::ATTEMPTS).unwrap_or(0);
        if self.is_plain(attempts) {
            return;
        }
        self.metrics.extra_attempts(attempts.saturating_sub(1));
        let address = host::text_property(property::UPSTREAM_ADDRESS).unwrap_or_default();
        if attempts > 1 {
            report::log(&report::sentence(self.policy.strategy.as_str(), attempts, &address));
        }
        let flags = host::number_property(property::RESPONSE_FLAGS).unwrap_or(0);
        let outcome = Outcome {
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            replica: self.sight.view.find(&address),
            end: End::of(flags, host::number_property(property::RESPONSE_CODE)),
        };
        let lanes = &self.sight.lanes;
        let lane_at = |place: usize| lanes.get(place).map(Rc::as_ref);
        let lessons = learn(self.policy.strategy, &self.plan, &outcome, &lane_at, worker.now.get());
        if lessons.failover {
            self.metrics.failover();
        }
        self.metrics.suspected(self.function.apply(&worker.bell, &self.policy, &self.sight, &lessons));
    }
}

/// A replica that this request shall be led to, if one is due and no other worker was quicker. The tick's clock says
/// whether anything can be due, so that requests don't have to ask for the time.
fn claim_check(
    worker: &Worker,
    function: &Function,
    roles: &Roles<'_>,
    sight: &mut Sight,
    may_repeat: bool,
) -> Option<usize> {
    let now = worker.now.get();
    if sight.view.next_due(roles).is_none_or(|due| due > now) {
        return None;
    }
    let place = sight.view.due(roles, may_repeat, now)?;
    let address = sight.view.replicas.get(place)?.address.clone();
    let claimed = function.change_view(&worker.bell, &mut |view| match view.find(&address) {
        Some(place) => view.claim(place, now),
        None => false,
    });
    *sight = function.sight(&worker.bell);
    sight.view.find(&address).filter(|_| claimed)
}

#[cfg(feature = "panic-on-request")]
#[allow(clippy::panic, reason = "the test build of the filter fails on demand")]
fn panic_if_asked(headers: &[u8]) {
    if pairs(headers).any(|(name, _)| name == b"x-steadfaas-test-panic") {
        panic!("asked for by x-steadfaas-test-panic");
    }
}

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        self.planned = self.plan();
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        let wanted = self.worker.as_ref().is_some_and(|worker| worker.configuration.response_header);
        if let Some(planned) = self.planned.as_ref().filter(|_| wanted) {
            let attempts = host::number_property(property::ATTEMPTS).unwrap_or(0);
            let address = host::text_property(property::UPSTREAM_ADDRESS).unwrap_or_default();
            report::answer(&report::sentence(planned.policy.strategy.as_str(), attempts, &address));
        }
        Action::Continue
    }

    fn on_log(&mut self) {
        if let (Some(mut planned), Some(worker)) = (self.planned.take(), &self.worker) {
            planned.learn(worker);
        }
    }
}
