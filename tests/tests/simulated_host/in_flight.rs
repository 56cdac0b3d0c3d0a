//! The count of requests in flight, by which `retry` picks the replica with least to do.

use super::exchange::Exchange;
use super::function::{Function, GET};
use super::proxy::Proxy;

/// Keeps one request in flight; whatever frees the others' places leaves the other replica the one with less to do.
fn assert_is_given_back(by: fn(Exchange)) {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    let busy = worker.request(&fib, GET).replicas()[0].clone();
    for _ in 0..6 {
        let exchange = worker.request(&fib, GET);
        assert_ne!(exchange.replicas()[0], busy);
        by(exchange);
    }
}

#[test]
fn a_request_that_ends_gives_its_place_back() {
    assert_is_given_back(Exchange::end_plainly);
}

#[test]
fn a_request_that_is_gone_without_a_log_gives_its_place_back() {
    assert_is_given_back(Exchange::delete);
}

#[test]
fn a_request_keeps_its_place_when_the_view_changes_meanwhile() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    let pending = worker.request(&fib, GET);
    let busy = pending.replicas()[0].clone();
    proxy.advance(1_500);
    worker.request(&fib, GET).end_plainly();
    worker.tick();
    let hosts = [super::function::REPLICAS[0], super::function::REPLICAS[1], "10.0.0.3:8080"];
    worker.answer_polls(&super::clusters::clusters(&[("fib", &hosts)]));
    for _ in 0..3 {
        let exchange = worker.request(&fib, GET);
        assert_ne!(exchange.replicas()[0], busy);
        exchange.end_plainly();
    }
}
