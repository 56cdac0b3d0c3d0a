//! How the module comes to know the replicas: who asks, when, and what no answer and bad answers do.

use std::collections::BTreeSet;

use super::clusters::{clusters, unfiltered};
use super::function::{Function, GET, REPLICAS};
use super::proxy::Proxy;
use super::worker::{Poll, Worker};

fn path(worker: &Worker) -> String {
    let [Poll { path, .. }] = &worker.polls()[..] else { panic!("one poll: {:?}", worker.polls()) };
    path.clone()
}

/// The replicas that the next request may be led to, in order of their address.
fn known(worker: &Worker, function: &Function) -> BTreeSet<String> {
    worker.request(function, GET).replicas().into_iter().collect()
}

#[test]
fn the_first_request_asks_for_a_tick_at_once_and_the_tick_asks_for_the_replicas() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    assert_eq!(worker.tick_period(), 100);
    worker.request(&fib, GET).end_plainly();
    assert_eq!(worker.tick_period(), 1);
    worker.tick();
    assert_eq!(worker.tick_period(), 100);
    let poll = Poll {
        cluster: "prometheus_stats".to_owned(),
        path: "/clusters?format=json&filter=^(fib)$".to_owned(),
        timeout_ms: 5_000,
    };
    assert_eq!(worker.polls(), [poll]);
    worker.answer_polls(&fib.clusters());
    assert_eq!(worker.request(&fib, GET).replicas().len(), 3);
}

#[test]
fn one_of_two_workers_asks_and_both_know() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let workers = [proxy.worker(), proxy.worker()];
    for worker in &workers {
        worker.request(&fib, GET).end_plainly();
    }
    for worker in &workers {
        worker.tick();
    }
    assert_eq!((workers[0].polls().len(), workers[1].polls().len()), (1, 0));
    workers[0].answer_polls(&fib.clusters());
    proxy.advance(1);
    assert!(workers.iter().all(|worker| !worker.request(&fib, GET).replicas().is_empty()));
}

#[test]
fn all_functions_are_asked_for_in_one_call_and_their_names_mean_just_themselves() {
    let proxy = Proxy::new();
    let worker = proxy.worker();
    for cluster in ["outbound|80||fib.default", "a+b&c=(.*)"] {
        worker.request(&Function::fib("strategy=retry").in_cluster(cluster), GET).end_plainly();
    }
    worker.tick();
    let path = path(&worker);
    let filter =
        path.strip_prefix("/clusters?format=json&filter=^(").and_then(|rest| rest.strip_suffix(")$"));
    let mut names: Vec<&str> = filter.unwrap_or(&path).split('|').collect();
    names.sort_unstable();
    let literally =
        ["a%5Cx2bb%5Cx26c%5Cx3d%5Cx28%5Cx2e%5Cx2a%5Cx29", "outbound%5Cx7c80%5Cx7c%5Cx7cfib%5Cx2edefault"];
    assert_eq!(names, literally);
}

#[test]
fn a_quiet_function_is_asked_for_once_a_second_and_not_at_all_without_traffic() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    let polls_within = |seconds: u32, traffic: bool| {
        let mut polls = 0;
        for _ in 0..seconds * 10 {
            proxy.advance(100);
            if traffic {
                worker.request(&fib, GET).end_plainly();
            }
            worker.tick();
            polls += worker.polls().len();
            worker.answer_polls(&fib.clusters());
        }
        polls
    };
    assert_eq!(polls_within(5, true), 5);
    polls_within(4, false);
    assert_eq!(polls_within(10, false), 0);
    assert_eq!(polls_within(2, true), 2, "it is asked for again with its first request");
}

/// Answers a poll with what isn't an answer.
type Spoil = fn(&Worker);

#[test]
fn what_is_no_answer_leaves_the_last_view() {
    let spoils: [(&str, Spoil); 8] = [
        ("broken", Worker::break_polls),
        ("500", |worker| worker.answer_polls_with("500", &clusters(&[("fib", &["10.9.9.9:1"])]))),
        ("no status", |worker| worker.answer_polls_with("OK", &clusters(&[("fib", &[])]))),
        ("nothing", |worker| worker.answer_polls("")),
        ("nonsense", |worker| worker.answer_polls("<html>no</html>")),
        ("another shape", |worker| worker.answer_polls(r#"{"cluster_statuses":{"fib":[]}}"#)),
        ("cut off", |worker| worker.answer_polls(clusters(&[("fib", &["10.9.9.9:1"])]).split_at(150).0)),
        ("other clusters", |worker| worker.answer_polls(&unfiltered(100, &[]))),
    ];
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    for (what, spoil) in spoils {
        proxy.advance(1_500);
        worker.request(&fib, GET).end_plainly();
        worker.tick();
        assert_eq!(worker.polls().len(), 1, "{what}");
        spoil(&worker);
        assert_eq!(known(&worker, &fib), REPLICAS.map(str::to_owned).into(), "{what}");
    }
}

#[test]
fn a_lost_answer_is_asked_for_again() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.request(&fib, GET).end_plainly();
    worker.tick();
    worker.break_polls();
    proxy.advance(100);
    worker.tick();
    assert_eq!(worker.polls().len(), 1);
    worker.answer_polls(&fib.clusters());
    assert!(!worker.request(&fib, GET).replicas().is_empty());
}

#[test]
fn an_envoy_that_cannot_filter_answers_with_every_cluster_and_is_understood() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.request(&fib, GET).end_plainly();
    worker.tick();
    worker.answer_polls(&unfiltered(2_000, &[("fib", &REPLICAS)]));
    assert!(!worker.request(&fib, GET).replicas().is_empty());
}

#[test]
fn a_replica_that_is_gone_gets_no_requests_and_a_new_one_does() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    proxy.advance(1_500);
    worker.request(&fib, GET).end_plainly();
    worker.tick();
    worker.answer_polls(&clusters(&[("fib", &["10.0.0.2:8080", "10.0.0.3:8080"])]));
    assert_eq!(known(&worker, &fib), ["10.0.0.2:8080", "10.0.0.3:8080"].map(str::to_owned).into());
}
