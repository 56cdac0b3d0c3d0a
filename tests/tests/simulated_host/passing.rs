//! Requests that pass as if the filter were not there, and the reason that is counted.

use super::clusters::clusters;
use super::function::{Function, GET};
use super::proxy::Proxy;

/// A request that tries to choose its replica: the filter removes that, and nothing else, where there is a policy.
const CHOOSING: &[(&str, &str)] = &[(":method", "GET"), ("x-envoy-retriable-status-codes", "10.9.9.9:1")];

#[test]
fn a_function_without_a_policy_is_left_alone() {
    let (proxy, fib) = (Proxy::new(), Function::unprotected());
    let worker = proxy.worker();
    for _ in 0..3 {
        let exchange = worker.request(&fib, CHOOSING);
        assert_eq!(exchange.changes(), [""; 0]);
        exchange.end_plainly();
        proxy.advance(100);
        worker.tick();
    }
    assert_eq!(worker.polls(), []);
}

/// Lets two requests pass and looks at what was counted.
fn assert_passes(function: &Function, reason: &str) {
    let proxy = Proxy::new();
    let worker = proxy.worker();
    let exchange = worker.request(function, GET);
    assert_eq!(exchange.changes(), [""; 0], "{reason}");
    exchange.end_plainly();
    assert_eq!(worker.request(function, CHOOSING).changes(), ["-x-envoy-retriable-status-codes"], "{reason}");
    worker.tick();
    assert_eq!(worker.polls(), [], "nobody asks for replicas that no plan will use: {reason}");
    let counted =
        proxy.metrics().into_iter().filter(|name| name.contains(&format!("reason=.={reason};.;"))).count();
    assert_eq!(counted, 1, "{reason}: {:?}", proxy.metrics());
    assert_eq!(proxy.log().len(), 1, "said once: {:?}", proxy.log());
}

#[test]
fn a_policy_that_is_not_readable_passes_and_is_counted() {
    for text in ["", "{", "[]", r#"{"version":1}"#, r#"{"function":"fib"}"#, "\u{fffd}"] {
        assert_passes(&Function::with_policy(text), "policy_unreadable");
    }
}

#[test]
fn a_policy_of_a_later_version_passes_and_is_counted() {
    assert_passes(&Function::with_policy(r#"{"version":2,"whatever":[]}"#), "policy_later_version");
}

#[test]
fn a_policy_that_is_not_built_passes_and_is_counted() {
    assert_passes(&Function::fib("strategy=quorum"), "policy_not_built");
    assert_passes(&Function::fib("strategy=retry objective=cost"), "policy_not_built");
}

#[test]
fn a_policy_that_is_wrong_passes_and_is_counted() {
    assert_passes(&Function::fib("strategy=active-standby tolerate=9"), "policy_invalid");
    assert_passes(&Function::fib("strategy=retry colour=red"), "policy_invalid");
}

#[test]
fn a_function_whose_replicas_are_not_known_yet_passes_and_is_counted() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    assert_eq!(worker.request(&fib, CHOOSING).changes(), ["-x-envoy-retriable-status-codes"]);
    worker.tick();
    assert_eq!(proxy.passed_through("no_view"), Some(1));
}

#[test]
fn a_function_without_any_replica_passes_and_is_counted() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.request(&fib, GET).end_plainly();
    worker.tick();
    worker.answer_polls(&clusters(&[("fib", &[])]));
    assert_eq!(worker.request(&fib, GET).changes(), [""; 0]);
    worker.tick();
    assert_eq!(proxy.passed_through("no_view"), Some(2));
}

#[test]
fn probes_and_upgrades_pass_and_are_counted() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=request-replication"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    for (header, reason) in [
        (("user-agent", "kube-probe/1.34"), "probe"),
        (("k-network-probe", "queue"), "probe"),
        (("upgrade", "websocket"), "upgrade"),
    ] {
        assert_eq!(worker.request(&fib, &[(":method", "GET"), header]).changes(), [""; 0], "{reason}");
    }
    assert_eq!(worker.request(&fib, &[(":method", "CONNECT")]).changes(), [""; 0]);
    worker.tick();
    assert_eq!((proxy.passed_through("probe"), proxy.passed_through("upgrade")), (Some(2), Some(2)));
}
