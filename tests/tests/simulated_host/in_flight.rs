//! The count of requests in flight, by which `retry` picks the replica with least to do.

use super::exchange::{End, Exchange};
use super::function::{Function, GET};
use super::proxy::Proxy;

/// Keeps one request in flight: whatever ends the others, the other replica is the one with less to do.
fn assert_is_given_back(end: fn(Exchange)) {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    let busy = worker.request(&fib, GET).replicas()[0].clone();
    for _ in 0..6 {
        let exchange = worker.request(&fib, GET);
        assert_ne!(exchange.replicas()[0], busy);
        end(exchange);
    }
}

#[test]
fn a_request_that_ends_gives_its_place_back() {
    assert_is_given_back(Exchange::end_plainly);
}

#[test]
fn a_request_whose_client_left_gives_its_place_back() {
    const CLIENT_LEFT: u64 = 0x4000;
    assert_is_given_back(|exchange| {
        exchange.end(End { attempts: 1, replica: "", code: 0, flags: CLIENT_LEFT });
    });
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
