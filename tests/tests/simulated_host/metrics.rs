//! Metrics: defined when first needed, counted at ticks, of a number that clients can't raise.

use std::collections::BTreeSet;

use super::exchange::answered;
use super::function::{Function, GET};
use super::proxy::Proxy;

#[test]
fn metrics_are_defined_when_they_are_first_needed() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    let of_fib = || {
        let names = proxy.metrics();
        names
            .iter()
            .filter_map(|name| name.strip_prefix("function=.=fib;.;"))
            .map(str::to_owned)
            .collect::<BTreeSet<_>>()
    };
    worker.request(&Function::unprotected(), GET).end_plainly();
    worker.tick();
    assert_eq!(of_fib(), BTreeSet::new());
    for _ in 0..5 {
        worker.tick();
    }
    worker.get_to_know(&fib);
    worker.request(&fib, GET).end_plainly();
    worker.tick();
    let needed = [
        "reason=.=no_view;.;steadfaas_passed_through",
        "steadfaas_active_mask",
        "steadfaas_replicas",
        "steadfaas_replicas_well",
        "steadfaas_requests",
        "steadfaas_suspect_mask",
    ];
    assert_eq!(of_fib(), needed.map(str::to_owned).into());
}

#[test]
fn counters_are_handed_over_at_ticks() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=active-standby"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    let exchange = worker.request(&fib, GET);
    let standby = exchange.replicas()[1].clone();
    exchange.end(answered(&standby).after(2));
    worker.request(&fib, GET).end_plainly();
    assert_eq!(proxy.fib_metric("requests"), None);
    worker.tick();
    let counted = ["requests", "extra_attempts", "failovers", "suspected"].map(|name| proxy.fib_metric(name));
    assert_eq!(counted, [Some(2), Some(1), Some(1), Some(1)]);
    worker.tick();
    assert_eq!(proxy.fib_metric("requests"), Some(2), "each is counted once");
}

#[test]
fn all_workers_count_on_the_same_counters() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let workers = [proxy.worker(), proxy.worker()];
    workers[0].get_to_know(&fib);
    for worker in &workers {
        worker.request(&fib, GET).end_plainly();
        worker.tick();
    }
    assert_eq!(proxy.fib_metric("requests"), Some(2));
}

#[test]
fn gauges_show_who_is_active_and_who_is_suspected() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=active-standby"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    let replicas = worker.request(&fib, GET).replicas();
    let bit = |replica: &str| if replica.starts_with("10.0.0.1:") { 1 } else { 2 };
    let shown = || {
        ["replicas", "replicas_well", "active_mask", "suspect_mask"]
            .map(|name| proxy.fib_metric(name).unwrap())
    };
    assert_eq!(shown(), [2, 2, bit(&replicas[0]), 0]);
    worker.request(&fib, GET).end(answered(&replicas[1]).after(2));
    assert_eq!(shown(), [2, 1, bit(&replicas[1]), bit(&replicas[0])]);
}

#[test]
fn the_age_that_the_view_had_reached_is_shown() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    proxy.advance(1_200);
    worker.request(&fib, GET).end_plainly();
    worker.tick();
    assert_eq!(proxy.fib_metric("view_age_ms"), Some(1_200));
}

#[test]
fn clients_cannot_raise_the_number_of_metrics() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    worker.request(&fib, GET).end_plainly();
    worker.tick();
    let before = proxy.metrics();
    for index in 0..1_000 {
        let (authority, path) = (format!("host-{index}.example"), format!("/{index}"));
        let request = [(":method", "GET"), (":authority", authority.as_str()), (":path", path.as_str())];
        worker.request(&fib, &request).end_plainly();
    }
    worker.tick();
    assert_eq!(proxy.metrics(), before);
    assert_eq!(proxy.fib_metric("requests"), Some(1_001));
}
