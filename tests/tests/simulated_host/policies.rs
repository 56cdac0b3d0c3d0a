//! Policies that change while requests come.

use super::function::{Function, GET, REPLICAS};
use super::proxy::Proxy;
use super::worker::Worker;

/// Half a second goes by, with requests in it.
fn half_a_second(proxy: &Proxy, worker: &Worker, function: &Function) {
    for _ in 0..5 {
        proxy.advance(100);
        worker.tick();
        worker.answer_polls(&function.clusters());
        worker.request(function, GET).end_plainly();
    }
}

#[test]
fn a_changed_policy_is_followed_within_half_a_second() {
    let (proxy, worker) = {
        let proxy = Proxy::new();
        let worker = proxy.worker();
        (proxy, worker)
    };
    worker.get_to_know(&Function::fib("strategy=active-standby"));
    let hedge =
        |function: &Function| worker.request(function, GET).header("x-envoy-upstream-rq-per-try-timeout-ms");
    for (settings, expected) in [
        ("strategy=active-standby hedge-after=25ms", "25"),
        ("strategy=active-standby hedge-after=50ms", "50"),
        ("strategy=hedged hedge-after=10ms", "10"),
    ] {
        let changed = Function::fib(settings);
        half_a_second(&proxy, &worker, &changed);
        assert_eq!(hedge(&changed).as_deref(), Some(expected), "{settings}");
    }
}

#[test]
fn another_strategy_has_its_roles_once_the_view_is_fresh() {
    let proxy = Proxy::new();
    let worker = proxy.worker();
    worker.get_to_know(&Function::fib("strategy=active-standby"));
    let replicated = Function::fib("strategy=request-replication");
    for _ in 0..3 {
        half_a_second(&proxy, &worker, &replicated);
    }
    let mut replicas = worker.request(&replicated, GET).replicas();
    replicas.sort_unstable();
    assert_eq!(replicas, REPLICAS);
}

#[test]
fn a_policy_that_is_taken_away_leaves_the_function_alone_again() {
    let proxy = Proxy::new();
    let worker = proxy.worker();
    worker.get_to_know(&Function::fib("strategy=retry"));
    half_a_second(&proxy, &worker, &Function::unprotected());
    assert_eq!(worker.request(&Function::unprotected(), GET).changes(), [""; 0]);
}

#[test]
fn a_policy_that_becomes_wrong_passes_and_one_that_becomes_right_again_protects() {
    let proxy = Proxy::new();
    let worker = proxy.worker();
    let (right, wrong) = (Function::fib("strategy=retry"), Function::fib("strategy=retri"));
    worker.get_to_know(&right);
    half_a_second(&proxy, &worker, &wrong);
    assert_eq!(worker.request(&wrong, GET).changes(), [""; 0]);
    half_a_second(&proxy, &worker, &right);
    assert!(!worker.request(&right, GET).replicas().is_empty());
}
