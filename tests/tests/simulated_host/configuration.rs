//! The plugin's own configuration, and a newer one that comes to the same virtual machine.

use super::exchange::answered;
use super::function::{Function, GET};
use super::proxy::Proxy;

#[test]
fn nothing_or_an_empty_object_means_the_defaults() {
    for text in ["", "{}"] {
        assert!(Proxy::new().unconfigured_worker().configure(text), "{text:?}");
    }
}

#[test]
fn a_configuration_that_is_wrong_is_refused_and_the_log_names_the_key() {
    for (text, named) in [
        (r#"{"admin_clusters":"x"}"#, "admin_clusters"),
        (r#"{"admin_cluster":7}"#, "admin_cluster"),
        (r#"{"response_header":"yes"}"#, "response_header"),
        ("[]", "not an object"),
        ("{", "EOF"),
    ] {
        let proxy = Proxy::new();
        assert!(!proxy.unconfigured_worker().configure(text), "{text}");
        let log = proxy.log();
        assert!(log.len() == 1 && log[0].contains(named), "{text}: {log:?}");
    }
}

#[test]
fn the_admin_cluster_may_have_another_name() {
    let proxy = Proxy::new();
    let worker = proxy.unconfigured_worker();
    assert!(worker.configure(r#"{"admin_cluster":"admin"}"#));
    worker.request(&Function::fib("strategy=retry"), GET).end_plainly();
    worker.tick();
    assert_eq!(worker.polls()[0].cluster, "admin");
}

#[test]
fn a_newer_configuration_in_the_same_machine_goes_on_with_what_is_known() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=active-standby"));
    let worker = proxy.worker();
    let first = worker.root();
    worker.get_to_know(&fib);
    let pending = worker.request(&fib, GET);
    let replicas = pending.replicas();

    worker.add_root();
    assert!(worker.configure(r#"{"response_header":true}"#));
    assert_eq!(worker.tick_period(), 100);
    assert_eq!(
        worker.request(&fib, GET).replicas(),
        replicas,
        "the view is the proxy's, not the configuration's"
    );

    pending.end(answered(&replicas[1]).after(2));
    assert!(!worker.request(&fib, GET).replicas().contains(&replicas[0]), "old requests still teach");
    worker.tick_of(first);
    worker.remove_root(first);
    proxy.advance(1_500);
    worker.request(&fib, GET).end_plainly();
    worker.tick();
    assert_eq!(worker.polls().len(), 1);
    worker.answer_polls(&fib.clusters());
    assert!(!worker.request(&fib, GET).replicas().is_empty());
}

#[test]
fn a_route_hedges_by_itself_only_where_no_configuration_of_the_machine_says_otherwise() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=active-standby"));
    let (hedging, plain) = (r#"{"own_routes":true}"#, "{}");
    for (first, second, says_it) in
        [(hedging, hedging, false), (plain, hedging, true), (hedging, plain, true), (plain, plain, true)]
    {
        let worker = proxy.unconfigured_worker();
        assert!(worker.configure(first));
        worker.add_root();
        assert!(worker.configure(second));
        worker.get_to_know(&fib);
        let exchange = worker.request(&fib, GET);
        assert_eq!(exchange.hedge_after().is_some(), says_it, "{first} then {second}");
        exchange.end_plainly();
    }
}

#[test]
fn of_two_configurations_in_one_machine_one_asks_for_replicas_and_counts() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    let first = worker.root();
    worker.get_to_know(&fib);
    worker.add_root();
    assert!(worker.configure("{}"));
    let second = worker.root();
    let (mut polls, mut requests) = (0, 0);
    for _ in 0..30 {
        proxy.advance(100);
        worker.request(&fib, GET).end_plainly();
        requests += 1;
        for root in [first, second] {
            worker.tick_of(root);
        }
        polls += worker.polls().len();
        worker.answer_polls(&fib.clusters());
    }
    assert_eq!(polls, 3, "once a second");
    assert_eq!(proxy.fib_metric("requests"), Some(requests));
}

#[test]
fn where_the_newer_configuration_goes_first_the_older_one_takes_over_its_ticks() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    let first = worker.root();
    worker.get_to_know(&fib);
    let second = worker.add_root();
    assert!(worker.configure("{}"));
    worker.remove_root(second);
    let mut polls = 0;
    for _ in 0..30 {
        proxy.advance(100);
        worker.tick_of(first);
        worker.request(&fib, GET).end_plainly();
        polls += worker.polls().len();
        worker.answer_polls(&fib.clusters());
    }
    assert!(polls >= 2, "{polls} in three seconds");
}

#[test]
fn a_newer_configuration_that_is_wrong_leaves_the_older_one_at_work() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    worker.add_root();
    assert!(!worker.configure(r#"{"admin_cluster":7}"#));
    assert!(!worker.request(&fib, GET).replicas().is_empty());
}
