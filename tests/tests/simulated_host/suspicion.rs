//! Replicas that fail: set aside by one worker for all of them, and let back by trial.

use super::exchange::{End, answered};
use super::function::{Function, GET, POST, REPLICAS};
use super::proxy::Proxy;
use super::worker::Worker;

const STRATEGY: &str = "strategy=active-standby hedge-after=25ms";

/// Envoy's response flag for a connection that could not be opened (UF).
const CONNECTION_FAILED: u64 = 0x20;

/// Two workers that know the function; its active replica and its standby.
struct Setting {
    proxy: Proxy,
    fib: Function,
    workers: [Worker; 2],
    active: String,
    standby: String,
}

impl Setting {
    fn new() -> Self {
        let (proxy, fib) = (Proxy::new(), Function::fib(STRATEGY));
        let workers = [proxy.worker(), proxy.worker()];
        workers[0].get_to_know(&fib);
        let replicas = workers[0].request(&fib, GET).leave();
        let [active, standby, ..] = &replicas[..] else { panic!("two replicas: {replicas:?}") };
        Self { active: active.clone(), standby: standby.clone(), proxy, fib, workers }
    }

    /// The replicas that a request of this worker's is led to, each named once.
    fn plan(&self, worker: usize) -> Vec<String> {
        let mut replicas = self.workers[worker].request(&self.fib, GET).leave();
        replicas.dedup();
        replicas
    }

    /// The first worker sees the active one fail, and the standby answer in its stead.
    fn active_fails(&self) {
        self.workers[0].request(&self.fib, GET).end(answered(&self.standby).after(2));
    }

    fn pass(&self, millis: u64) {
        self.proxy.advance(millis);
        for worker in &self.workers {
            worker.tick();
            worker.answer_polls(&self.fib.clusters());
        }
    }
}

#[test]
fn what_one_worker_suspects_the_other_avoids_from_the_next_millisecond_on() {
    let setting = Setting::new();
    assert_eq!(setting.plan(1), [setting.active.clone(), setting.standby.clone()]);
    setting.active_fails();
    setting.proxy.advance(1);
    for worker in [0, 1] {
        let plan = setting.plan(worker);
        assert!(!plan.is_empty() && plan.iter().all(|replica| *replica == setting.standby), "{plan:?}");
    }
}

#[test]
fn a_connection_that_cannot_be_opened_is_a_sign_even_where_nothing_was_answered() {
    let setting = Setting::new();
    let failed = End { attempts: 1, replica: &setting.active, code: 503, flags: CONNECTION_FAILED };
    setting.workers[0].request(&setting.fib, POST).end(failed);
    assert!(!setting.plan(1).contains(&setting.active));
}

#[test]
fn a_client_that_leaves_is_no_sign() {
    let setting = Setting::new();
    let left = End { attempts: 2, replica: &setting.active, code: 0, flags: 0x4000 };
    setting.workers[0].request(&setting.fib, GET).end(left);
    assert_eq!(setting.plan(1)[0], setting.active);
}

#[test]
fn an_error_that_the_function_answers_is_no_sign() {
    let setting = Setting::new();
    for code in [404, 500, 503] {
        let refused = End { code, ..answered(&setting.active) };
        setting.workers[0].request(&setting.fib, POST).end(refused);
        assert_eq!(setting.plan(1)[0], setting.active, "{code}");
    }
}

#[test]
fn a_trial_is_claimed_by_one_request_of_one_worker() {
    let setting = Setting::new();
    setting.active_fails();
    setting.pass(499);
    assert!(!setting.plan(0).contains(&setting.active) && !setting.plan(1).contains(&setting.active));
    setting.pass(1);
    let trials: Vec<bool> = [0, 1, 0, 1].map(|worker| setting.plan(worker)[0] == setting.active).to_vec();
    assert_eq!(trials, [true, false, false, false]);
}

#[test]
fn a_trial_hedges_so_that_its_client_does_not_wait_for_a_dead_replica() {
    let setting = Setting::new();
    setting.active_fails();
    setting.pass(500);
    let trial = setting.workers[1].request(&setting.fib, GET);
    assert_eq!(trial.replicas()[..2], [setting.active.clone(), setting.standby.clone()]);
    assert_eq!(trial.hedge_after(), Some(25), "as every day");
}

#[test]
fn a_request_that_must_not_run_twice_is_no_trial() {
    let setting = Setting::new();
    setting.active_fails();
    setting.pass(500);
    let post = setting.workers[0].request(&setting.fib, POST).replicas();
    assert!(!post.contains(&setting.active), "{post:?}");
}

#[test]
fn a_replica_that_answers_its_trial_is_well_for_all_workers() {
    let setting = Setting::new();
    setting.active_fails();
    setting.pass(500);
    let trial = setting.workers[1].request(&setting.fib, GET);
    assert_eq!(trial.replicas()[0], setting.active);
    trial.end(answered(&setting.active));
    setting.proxy.advance(1);
    let now_standby = [setting.standby.clone(), setting.active.clone()];
    assert_eq!((setting.plan(0), setting.plan(1)), (now_standby.to_vec(), now_standby.to_vec()));
}

#[test]
fn trials_become_rarer_while_they_fail() {
    let setting = Setting::new();
    setting.active_fails();
    let mut waits = Vec::new();
    let mut waited = 0;
    while waits.len() < 8 {
        setting.pass(50);
        waited += 50;
        let exchange = setting.workers[0].request(&setting.fib, GET);
        if exchange.replicas()[0] == setting.active {
            waits.push(std::mem::take(&mut waited));
            exchange.end(answered(&setting.standby).after(2));
        } else {
            exchange.end(answered(&setting.standby));
        }
    }
    assert_eq!(waits, [500, 1_500, 4_500, 8_000, 8_000, 8_000, 8_000, 8_000]);
}

#[test]
fn a_suspicion_lets_the_module_look_at_the_admin_endpoint_soon() {
    let setting = Setting::new();
    setting.pass(100);
    setting.active_fails();
    setting.proxy.advance(100);
    for worker in &setting.workers {
        worker.tick();
    }
    let polls: usize = setting.workers.iter().map(|worker| worker.polls().len()).sum();
    assert_eq!(polls, 1, "within 0.1 s, not when the quiet second is over");
}

#[test]
fn with_every_replica_suspected_a_request_waits_for_the_first_that_answers() {
    let setting = Setting::new();
    setting.active_fails();
    let failed = End { attempts: 3, replica: &setting.standby, code: 503, flags: CONNECTION_FAILED };
    setting.workers[0].request(&setting.fib, GET).end(failed);
    setting.proxy.advance(1);
    let waiting = setting.workers[1].request(&setting.fib, GET);
    let asked = waiting.replicas();
    let mut first = asked[..2].to_vec();
    first.sort_unstable();
    assert_eq!(
        (first.as_slice(), &asked[2..4]),
        (REPLICAS.map(str::to_owned).as_slice(), &asked[..2]),
        "in turn"
    );
    assert_eq!(waiting.header("x-envoy-max-retries").as_deref(), Some("30"));
    assert_eq!(
        waiting.header("x-envoy-retry-on"),
        None,
        "only where nothing ran: it may be the request that breaks them"
    );
    assert_eq!(waiting.hedge_after(), None, "nobody hammers what may only be busy");
    waiting.end(answered(&setting.active).after(7));
    setting.proxy.advance(1);
    assert_eq!(setting.plan(0)[0], setting.active, "its answer acquits");
}
