//! What each strategy tells the router about each kind of request.

use super::exchange::Exchange;
use super::function::{Function, GET, GRPC, KEYED_POST, POST, REPLICAS};
use super::proxy::Proxy;

/// The headers that a request gets, with replicas as `first` and `second` in the order of their attempts.
fn told(settings: &str, request: &[(&str, &str)]) -> Vec<String> {
    let (proxy, fib) = (Proxy::new(), Function::fib(settings));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    let exchange = worker.request(&fib, request);
    let replicas = exchange.replicas();
    let other = REPLICAS.into_iter().find(|replica| *replica != replicas[0]).unwrap();
    let named = |change: &String| change.replace(&replicas[0], "first").replace(other, "second");
    exchange.changes().iter().map(named).collect()
}

const ONE_BY_ONE: &str = "x-envoy-retriable-status-codes: first,second,second";
const BOTH: &str = "x-envoy-retriable-status-codes: first,second";
const REPEAT: &str = "x-envoy-retry-on: gateway-error";
const REPEAT_GRPC: &str = "x-envoy-retry-grpc-on: unavailable";
const ONCE_MORE: &str = "x-envoy-max-retries: 1";
/// Nothing is known yet of how long the function takes.
const COLD: &str = "x-envoy-upstream-rq-per-try-timeout-ms: 1000";
const HEDGE: &str = "x-envoy-hedge-on-per-try-timeout: true";

#[test]
fn retry_names_every_replica_and_repeats_what_may_be_repeated() {
    assert_eq!(told("strategy=retry", GET), [ONE_BY_ONE, REPEAT, COLD, HEDGE]);
    assert_eq!(told("strategy=retry", KEYED_POST), [ONE_BY_ONE, REPEAT, COLD, HEDGE]);
    assert_eq!(told("strategy=retry", POST), [ONE_BY_ONE]);
    assert_eq!(told("strategy=retry", GRPC), [ONE_BY_ONE]);
    let repeatable = "strategy=retry idempotent=true";
    assert_eq!(told(repeatable, GRPC), [ONE_BY_ONE, REPEAT, REPEAT_GRPC, COLD, HEDGE]);
}

#[test]
fn active_standby_goes_to_the_active_one_and_then_to_the_standby() {
    assert_eq!(told("strategy=active-standby", GET), [ONE_BY_ONE, REPEAT, COLD, HEDGE]);
    assert_eq!(told("strategy=active-standby", KEYED_POST), [ONE_BY_ONE, REPEAT, COLD, HEDGE]);
    assert_eq!(told("strategy=active-standby", POST), [ONE_BY_ONE]);
    assert_eq!(told("strategy=active-standby idempotent=false", GET), [ONE_BY_ONE]);
}

#[test]
fn hedges_start_after_the_delay_that_the_policy_gives() {
    let hedge_after = "x-envoy-upstream-rq-per-try-timeout-ms: 25";
    for strategy in ["retry", "active-standby", "hedged"] {
        let settings = format!("strategy={strategy} hedge-after=25ms");
        assert_eq!(told(&settings, GET), [ONE_BY_ONE, REPEAT, hedge_after, HEDGE]);
        assert_eq!(told(&settings, KEYED_POST), [ONE_BY_ONE, REPEAT, hedge_after, HEDGE]);
        assert_eq!(told(&settings, POST), [ONE_BY_ONE], "what must not run twice is not hedged");
    }
}

#[test]
fn request_replication_starts_the_second_one_after_a_millisecond() {
    let at_once = "x-envoy-upstream-rq-per-try-timeout-ms: 1";
    let settings = "strategy=request-replication";
    assert_eq!(told(settings, GET), [BOTH, REPEAT, ONCE_MORE, at_once, HEDGE]);
    assert_eq!(told(settings, KEYED_POST), [BOTH, REPEAT, ONCE_MORE, at_once, HEDGE]);
    assert_eq!(told(settings, POST), [ONE_BY_ONE]);
    assert_eq!(told(settings, GRPC), [ONE_BY_ONE]);
    let repeatable = "strategy=request-replication idempotent=true";
    assert_eq!(told(repeatable, GRPC), [BOTH, REPEAT, REPEAT_GRPC, ONCE_MORE, at_once, HEDGE]);
}

/// How many of ten requests go to each replica first, the busier one first. `end` ends each before the next comes.
fn shares(settings: &str, end: bool) -> Vec<usize> {
    let (proxy, fib) = (Proxy::new(), Function::fib(settings));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    let first = |exchange: Exchange| {
        let first = exchange.replicas()[0].clone();
        if end {
            exchange.end_plainly();
        }
        first
    };
    let mut firsts: Vec<String> = (0..10).map(|_| first(worker.request(&fib, GET))).collect();
    firsts.sort_unstable();
    let mut shares: Vec<usize> = firsts.chunk_by(|one, other| one == other).map(<[String]>::len).collect();
    shares.sort_unstable_by(|one, other| other.cmp(one));
    shares
}

#[test]
fn active_standby_stays_with_the_active_one_and_retry_shares_the_load() {
    assert_eq!(shares("strategy=active-standby", true), [10]);
    assert_eq!(shares("strategy=retry", true), [5, 5]);
    assert_eq!(shares("strategy=retry", false), [5, 5]);
}

#[test]
fn an_active_one_with_more_in_flight_than_usual_spills_over_to_the_standby() {
    let spilt = shares("strategy=active-standby", false);
    assert!(spilt.len() == 2 && spilt[1] >= 3, "{spilt:?}");
}

#[test]
fn every_worker_and_every_proxy_agrees_on_the_active_one() {
    let active = || {
        let (proxy, fib) = (Proxy::new(), Function::fib("strategy=active-standby"));
        let workers = [proxy.worker(), proxy.worker()];
        workers[0].get_to_know(&fib);
        workers.map(|worker| worker.request(&fib, GET).replicas()[0].clone())
    };
    let [one, two] = active();
    assert_eq!(one, two);
    assert_eq!([one, two], active());
}
