//! How many attempts a request had: asked for, or told by the headers that the router leaves.

use steadfaas_core::envoy::property;

use super::exchange::{End, answered};
use super::function::{Function, GET};
use super::proxy::Proxy;
use super::worker::Worker;

const OWN_ROUTES: &str = r#"{"own_routes":true}"#;

fn knowing(configuration: &str) -> (Proxy, Function, Worker) {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=active-standby"));
    let worker = proxy.unconfigured_worker();
    assert!(worker.configure(configuration));
    worker.get_to_know(&fib);
    (proxy, fib, worker)
}

/// Whether the number of attempts is asked for after a request that had so many; without any it takes no time.
fn asks_after(proxy: &Proxy, worker: &Worker, fib: &Function, attempts: u64) -> bool {
    let exchange = worker.request(fib, GET);
    let first = exchange.replicas()[0].clone();
    proxy.advance(10 * attempts);
    exchange.end(answered(&first).after(attempts)).asked.iter().any(|asked| asked == property::ATTEMPTS)
}

#[test]
fn one_attempt_is_told_without_asking_only_where_routes_mark_retries() {
    for (configuration, asks) in [(OWN_ROUTES, false), ("{}", true)] {
        let (proxy, fib, worker) = knowing(configuration);
        let asks_after = |attempts| asks_after(&proxy, &worker, &fib, attempts);
        assert!(asks_after(0), "{configuration}: nothing was answered yet");
        assert_eq!(asks_after(1), asks, "{configuration}");
        assert!(asks_after(2), "{configuration}");
        assert!(asks_after(0), "{configuration}");
        assert_eq!(asks_after(1), asks, "{configuration}");
    }
}

#[test]
fn retries_are_counted_whether_they_are_marked_or_not() {
    for configuration in [OWN_ROUTES, "{}"] {
        let (proxy, fib, worker) = knowing(configuration);
        worker.request(&fib, GET).end_plainly();
        let exchange = worker.request(&fib, GET);
        let standby = exchange.replicas()[1].clone();
        exchange.end(answered(&standby).after(3));
        worker.tick();
        let counted = ["requests", "extra_attempts", "failovers"].map(|name| proxy.fib_metric(name));
        assert_eq!(counted, [Some(2), Some(2), Some(1)], "{configuration}");
    }
}

#[test]
fn an_answer_of_the_proxys_own_teaches_nothing_of_the_functions_speed() {
    for configuration in [OWN_ROUTES, "{}"] {
        let (_proxy, fib, worker) = knowing(configuration);
        for _ in 0..32 {
            let forbidden = End { attempts: 0, replica: "", code: 403, flags: 0 };
            worker.request(&fib, GET).end(forbidden);
        }
        let delay = worker.request(&fib, GET).header("x-envoy-upstream-rq-per-try-timeout-ms");
        assert_eq!(delay.as_deref(), Some("1000"), "{configuration}");
    }
}
