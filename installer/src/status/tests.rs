//! What is shown of which facts.

use serde_json::json;
use steadfaas_core::admin::{ClusterHosts, Host};

use super::*;
use crate::doctor::fixtures::{plain, read, well};

/// The gateway knows both replicas of `fib`; `masks` are who is active, and who is set aside.
fn seen(facts: &mut Facts, active: u64, suspect: u64) {
    let report = facts.proxies[0].report.as_mut().unwrap();
    let host = |address: &str| Host { address: address.to_owned(), serving: true, doubtful: false };
    report.hosts = vec![ClusterHosts {
        name: "outbound|80||fib.default.svc.cluster.local".to_owned(),
        hosts: vec![host("10.244.3.2:8080"), host("10.244.2.2:8080")],
    }];
    let metrics = report.metrics.get_mut("default/fib").unwrap();
    (metrics.replicas, metrics.active_mask, metrics.suspect_mask) = (2, active, suspect);
}

fn states(facts: &Facts) -> Vec<(String, State)> {
    let row = rows(facts).remove(0);
    row.replicas.into_iter().map(|replica| (replica.pod.unwrap_or_default(), replica.state)).collect()
}

fn named(states: &[(&str, State)]) -> Vec<(String, State)> {
    states.iter().map(|(name, state)| ((*name).to_owned(), *state)).collect()
}

#[test]
fn masks_are_of_replicas_in_order_of_their_address() {
    let mut facts = well();
    seen(&mut facts, 0b10, 0b00);
    assert_eq!(states(&facts), named(&[("fib-1", State::Standby), ("fib-2", State::Active)]));
    seen(&mut facts, 0b10, 0b01);
    assert_eq!(states(&facts), named(&[("fib-1", State::Suspect), ("fib-2", State::Active)]));
}

#[test]
fn a_replica_that_nobody_has_called_is_ready_and_one_that_isnt_is_gone() {
    let mut facts = well();
    facts.subjects[0].pods[1].ready = false;
    assert_eq!(states(&facts), named(&[("fib-1", State::Ready), ("fib-2", State::Gone)]));
}

#[test]
fn masks_of_other_replicas_than_the_proxys_say_nothing() {
    let mut facts = well();
    seen(&mut facts, 0b10, 0b00);
    facts.proxies[0].report.as_mut().unwrap().metrics.get_mut("default/fib").unwrap().replicas = 3;
    assert_eq!(states(&facts), named(&[("fib-1", State::Ready), ("fib-2", State::Ready)]));
}

#[test]
fn an_address_without_a_pod_is_gone() {
    let mut facts = well();
    seen(&mut facts, 0b11, 0b00);
    facts.subjects[0].pods.remove(0);
    let row = rows(&facts).remove(0);
    assert_eq!(replicas_in_words(&row.replicas), "1 well (1 active), 1 gone");
    assert_eq!(row.problems, ["redundancy 0 of 1"]);
}

#[test]
fn what_holds_a_strategy_back_and_shared_nodes_are_said_in_words() {
    let mut facts = well();
    facts.subjects[0].pods[1].node = "worker1".to_owned();
    facts.subjects[0].speaks_grpc = true;
    assert_eq!(
        rows(&facts).remove(0).problems,
        [
            "K = 1 but both replicas on node worker1",
            "held back because POST isn't idempotent (it is gRPC, whose calls are all POSTs)",
        ]
    );
}

#[test]
fn what_the_controller_says_comes_first_and_only_once() {
    let mut facts = well();
    facts.subjects[0].pods.remove(0);
    let lost = r#"{"conditions":[{"type":"Redundant","status":"False","reason":"RedundancyLost","message":"redundancy 0 of 1: too few replicas are ready","lastTransitionTime":"2026-01-01T00:00:00Z"}]}"#;
    facts.subjects[0].function.annotations.insert("steadfaas.dev/status".to_owned(), lost.to_owned());
    assert_eq!(
        rows(&facts).remove(0).problems,
        ["redundancy 0 of 1: too few replicas are ready (since 2026-01-01T00:00:00Z)"]
    );
}

#[test]
fn programs_get_the_same() {
    let mut facts = well();
    seen(&mut facts, 0b10, 0b00);
    insta::assert_json_snapshot!(rows(&facts));
    facts.subjects = vec![read(plain(json!({ "steadfaas.dev/strategy": "request-replication" })))];
    assert_eq!(extra_attempts(&rows(&facts).remove(0)), "15 for 164 (9.1 % by choice)");
    facts.subjects = vec![read(plain(json!({ "steadfaas.dev/strategy": "best" })))];
    assert_eq!(extra_attempts(&rows(&facts).remove(0)), "15 for 164 (9.1 %)", "nothing says what is allowed");
}
