//! What past requests make of the next one: the delay of its hedge, a silent replica set aside, the budget.

use super::exchange::{Exchange, answered};
use super::function::{Function, GET, POST};
use super::proxy::Proxy;
use super::worker::Worker;

const STANDBY: &str = "strategy=active-standby";

/// A worker that knows the function.
fn knowing(settings: &str) -> (Proxy, Function, Worker) {
    let (proxy, fib) = (Proxy::new(), Function::fib(settings));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    (proxy, fib, worker)
}

/// So many requests, one after the other, that are answered after `millis`.
fn answer(proxy: &Proxy, worker: &Worker, function: &Function, count: usize, millis: u64) {
    for _ in 0..count {
        let exchange = worker.request(function, GET);
        proxy.advance(millis);
        exchange.end_plainly();
    }
}

#[test]
fn a_few_answers_give_an_idea_and_a_dozen_teach_how_long_a_function_usually_takes() {
    for strategy in ["retry", "active-standby", "hedged"] {
        let (proxy, fib, worker) = knowing(&format!("strategy={strategy}"));
        // The first request of all had no plan.
        answer(&proxy, &worker, &fib, 3, 20);
        assert_eq!(worker.request(&fib, GET).hedge_after(), Some(1_000), "{strategy}");
        answer(&proxy, &worker, &fib, 8, 20);
        assert_eq!(worker.request(&fib, GET).hedge_after(), Some(30), "{strategy}: half as long again");
        answer(&proxy, &worker, &fib, 1, 20);
        let learned = worker.request(&fib, GET).hedge_after();
        assert_eq!(learned, Some(29), "{strategy}: how early timers go off isn't known yet");
    }
}

#[test]
fn the_hedge_starts_as_much_later_as_the_proxys_timers_are_early() {
    let (proxy, fib, worker) = knowing(STANDBY);
    answer(&proxy, &worker, &fib, 16, 20);
    let learned = |took: u64| {
        for _ in 0..100 {
            answer(&proxy, &worker, &fib, 1, 20);
            proxy.advance(took - 20);
            worker.tick();
        }
        worker.request(&fib, GET).hedge_after()
    };
    assert_eq!(learned(100), Some(23), "exact: a margin of an eighth");
    assert_eq!(learned(94), Some(27));
    assert_eq!(learned(105), Some(23));
}

#[test]
fn another_kind_of_request_has_its_own_delay() {
    let (proxy, fib, worker) = knowing(STANDBY);
    answer(&proxy, &worker, &fib, 16, 20);
    let slow = [(":method", "GET"), (":path", "/report")];
    assert_eq!(worker.request(&fib, &slow).hedge_after(), Some(1_000));
    let alike = [(":method", "GET"), (":path", "/?n=16")];
    assert_ne!(worker.request(&fib, &alike).hedge_after(), Some(1_000));
}

#[test]
fn the_delay_that_a_policy_gives_stays() {
    let (proxy, fib, worker) = knowing("strategy=active-standby hedge-after=40ms");
    answer(&proxy, &worker, &fib, 40, 10);
    assert_eq!(worker.request(&fib, GET).hedge_after(), Some(40));
}

#[test]
fn a_replica_that_leaves_three_unanswered_is_set_aside_before_the_next_is_planned() {
    let (proxy, fib, worker) = knowing(STANDBY);
    answer(&proxy, &worker, &fib, 16, 20);
    let waiting: Vec<Exchange> = (0..3).map(|_| worker.request(&fib, GET)).collect();
    let silent = waiting[0].replicas()[0].clone();
    assert!(waiting.iter().all(|exchange| exchange.replicas()[0] == silent));
    proxy.advance(20);
    assert_eq!(worker.request(&fib, GET).replicas()[0], silent, "none of them is late yet");
    proxy.advance(10);
    let next = worker.request(&fib, GET).replicas();
    assert_ne!(next[0], silent, "it comes after the one that is left: {next:?}");
    worker.tick();
    assert_eq!(proxy.fib_metric("suspected"), Some(1));
}

#[test]
fn a_replica_that_answers_anything_is_not_silent() {
    let (proxy, fib, worker) = knowing(STANDBY);
    answer(&proxy, &worker, &fib, 16, 20);
    let mut waiting: Vec<Exchange> = (0..3).map(|_| worker.request(&fib, GET)).collect();
    let active = waiting[0].replicas()[0].clone();
    proxy.advance(20);
    waiting.remove(1).end(answered(&active));
    proxy.advance(100);
    assert_eq!(worker.request(&fib, GET).leave()[0], active);
}

#[test]
fn one_late_answer_sets_nobody_aside_and_several_in_a_row_for_four_delays_do() {
    let (proxy, fib, worker) = knowing("strategy=active-standby hedge-after=25ms");
    let late = || {
        let exchange = worker.request(&fib, GET);
        let replicas = exchange.replicas();
        proxy.advance(35);
        exchange.end(answered(&replicas[1]).after(2));
        replicas[0].clone()
    };
    let first = late();
    assert!((0..3).all(|_| late() == first));
    assert_ne!(worker.request(&fib, GET).leave()[0], first);
}

#[test]
fn with_its_budget_spent_a_function_gets_no_more_extra_attempts_until_it_has_earned_some() {
    let (proxy, fib, worker) = knowing("strategy=retry budget=5%");
    let may_repeat = |exchange: &Exchange| exchange.header("x-envoy-retry-on").is_some();
    // All of them are in flight at once, and each keeps what it may need.
    let waiting: Vec<Exchange> = (0..100).map(|_| worker.request(&fib, GET)).take_while(may_repeat).collect();
    assert!((18..=31).contains(&waiting.len()), "the burst is 30 extra attempts: {}", waiting.len());
    let next = worker.request(&fib, GET);
    assert_eq!((next.hedge_after(), next.header("x-envoy-retry-on")), (None, None));
    assert_eq!(next.replicas().len(), 3, "it may still go elsewhere where nothing ran");
    next.leave();
    proxy.advance(1_100);
    for exchange in waiting {
        // Each of them needed all of it: nothing is given back.
        let second = exchange.replicas()[1].clone();
        exchange.end(answered(&second).after(3));
    }
    let earned = (0..40).map(|_| worker.request(&fib, GET)).filter(may_repeat).count();
    assert!((1..=3).contains(&earned), "two of 40 at 5 %: {earned}");
}

#[test]
fn what_a_request_does_not_need_it_gives_back() {
    let (proxy, fib, worker) = knowing("strategy=retry budget=1%");
    answer(&proxy, &worker, &fib, 200, 10);
    assert!(worker.request(&fib, GET).header("x-envoy-retry-on").is_some());
}

#[test]
fn a_budget_of_nothing_allows_nothing_that_could_run_twice() {
    let (_proxy, fib, worker) = knowing("strategy=hedged budget=0%");
    let exchange = worker.request(&fib, GET);
    assert_eq!((exchange.hedge_after(), exchange.header("x-envoy-retry-on")), (None, None));
}

#[test]
fn a_deadline_is_told_to_the_router_as_a_span_and_to_the_function_as_a_point_in_time() {
    let (proxy, fib, worker) = knowing("strategy=retry deadline=2s");
    for request in [GET, POST] {
        let exchange = worker.request(&fib, request);
        assert_eq!(exchange.header("x-envoy-upstream-rq-timeout-ms").as_deref(), Some("2000"));
        assert_eq!(exchange.header("x-steadfaas-deadline"), Some((proxy.now_ms() + 2_000).to_string()));
    }
}

#[test]
fn a_deadline_of_the_call_that_a_request_is_part_of_counts_where_it_is_earlier() {
    let (proxy, fib, worker) = knowing("strategy=retry deadline=2s");
    for (inherited, left) in [(500, "500"), (9_000, "2000"), (0, "1")] {
        let inherited = (proxy.now_ms() + inherited).to_string();
        let request = [GET, &[("x-steadfaas-deadline", inherited.as_str())]].concat();
        let exchange = worker.request(&fib, &request);
        assert_eq!(exchange.header("x-envoy-upstream-rq-timeout-ms").as_deref(), Some(left));
    }
}

#[test]
fn what_is_called_while_serving_a_repetition_is_not_repeated_itself() {
    for strategy in ["retry", "active-standby", "hedged", "request-replication"] {
        let (_proxy, fib, worker) = knowing(&format!("strategy={strategy}"));
        let told = |attempt| {
            let request = [GET, &[("x-envoy-attempt-count", attempt)]].concat();
            let exchange = worker.request(&fib, &request);
            (exchange.header("x-envoy-retry-on").is_some(), exchange.hedge_after().is_some())
        };
        assert_eq!(told("1"), (true, true), "{strategy}");
        assert_eq!(told("2"), (false, false), "{strategy}: another attempt makes the same calls");
    }
}
