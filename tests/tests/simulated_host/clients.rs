//! What clients send: nothing of it chooses a replica or raises a limit, and no bytes upset the module.

use steadfaas_core::request::RetryHeader;

use super::function::{Function, POST, REPLICAS};
use super::proxy::Proxy;
use super::stream::headers;

#[test]
fn what_a_client_says_to_the_router_is_overwritten_or_removed() {
    for settings in
        ["strategy=retry", "strategy=active-standby hedge-after=25ms", "strategy=request-replication"]
    {
        let (proxy, fib) = (Proxy::new(), Function::fib(settings));
        let worker = proxy.worker();
        worker.get_to_know(&fib);
        for method in ["GET", "POST"] {
            let sent = RetryHeader::ALL.map(|header| (header.name(), "10.9.9.9:1,5xx,99"));
            let exchange = worker.request(&fib, &[&[(":method", method)], &sent[..]].concat());
            for name in RetryHeader::ALL.map(RetryHeader::name) {
                assert_ne!(
                    exchange.header(name).as_deref(),
                    Some("10.9.9.9:1,5xx,99"),
                    "{settings} {method} {name}"
                );
            }
            let replicas = exchange.replicas();
            assert!(replicas.iter().all(|replica| REPLICAS.contains(&replica.as_str())), "{replicas:?}");
        }
    }
}

#[test]
fn a_client_raises_no_limit_of_a_request_that_must_not_run_twice() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    let limits = [
        ("x-envoy-retry-on", "5xx"),
        ("x-envoy-max-retries", "99"),
        ("x-envoy-hedge-on-per-try-timeout", "1"),
    ];
    let exchange = worker.request(&fib, &[POST, &limits].concat());
    for (name, _) in limits {
        assert_eq!(exchange.header(name), None, "{name}");
    }
}

#[test]
fn other_headers_stay_as_they_are() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=request-replication"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    let kept = [("x-envoy-internal", "true"), ("x-request-id", "7"), ("cookie", "a=b; c"), ("accept", "")];
    let exchange = worker.request(&fib, &[&[(":method", "GET")], &kept[..]].concat());
    for (name, value) in kept {
        assert_eq!(exchange.header(name).as_deref(), Some(value));
    }
}

#[test]
fn headers_may_hold_any_bytes() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    let any: Vec<u8> = (0..=255).collect();
    for name in
        [&b":method"[..], b"user-agent", b"content-type", b"x-envoy-max-retries", b"idempotency-key", &any]
    {
        let exchange = worker.request_of_bytes(&fib, vec![(name.to_vec(), any.clone())]);
        assert_eq!(exchange.replicas().len(), 3, "{}", String::from_utf8_lossy(name));
        exchange.end_plainly();
    }
}

#[test]
fn a_request_may_have_no_headers_or_many_large_ones() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    let large = "x".repeat(8_000);
    let many: Vec<_> = (0..100).map(|_| ("x-large", large.as_str())).collect();
    for request in [headers(&[]), headers(&many)] {
        assert_eq!(worker.request_of_bytes(&fib, request).replicas().len(), 3);
    }
}
