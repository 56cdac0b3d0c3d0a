//! `node-loss` (see `e2e/node-loss/README.md`): with steadfaas nobody notices, without it clients wait or fail.

use steadfaas_e2e::{node_loss, shipped};
use steadfaas_tests::netns::enter_for_test;

/// The longest that a client waits with steadfaas, in milliseconds: a connection that isn't open yet has to be given
/// up before another replica is tried, and a trial of the lost one may need that. While this machine pauses all are
/// silent, and another one is asked only after a second.
const NOT_NOTICED_MS: f64 = 1_500.0;

/// What is called a hang, in milliseconds: most of the time for which the node is away.
const HANG_MS: f64 = 2_000.0;

/// Runs the test `name` in hosts of its own; true there.
fn on_hosts(name: &str) -> anyhow::Result<bool> {
    shipped::ensure()?;
    enter_for_test(name)
}

#[tokio::test]
async fn a_lost_node_costs_no_request_with_active_standby() {
    if !on_hosts("a_lost_node_costs_no_request_with_active_standby").unwrap() {
        return;
    }
    let felt = node_loss::with_steadfaas(&["strategy: active-standby"]).await.unwrap();
    assert_eq!(felt.seen.failed, 0, "{:?}", felt.seen.status);
    assert!(felt.seen.after.max_ms < NOT_NOTICED_MS, "the slowest took {} ms", felt.seen.after.max_ms);
    assert!(felt.answers_after_return > 0, "its replica is not used again");
}

#[tokio::test]
async fn a_lost_node_costs_no_request_with_request_replication() {
    if !on_hosts("a_lost_node_costs_no_request_with_request_replication").unwrap() {
        return;
    }
    let felt = node_loss::with_steadfaas(&["strategy: request-replication"]).await.unwrap();
    assert_eq!(felt.seen.failed, 0, "{:?}", felt.seen.status);
    assert!(felt.seen.after.max_ms < NOT_NOTICED_MS, "the slowest took {} ms", felt.seen.after.max_ms);
    assert!(felt.answers_after_return > 0, "its replica is not used again");
}

#[tokio::test]
async fn without_steadfaas_clients_fail_or_wait_for_seconds() {
    if !on_hosts("without_steadfaas_clients_fail_or_wait_for_seconds").unwrap() {
        return;
    }
    let seen = node_loss::without_steadfaas().await.unwrap();
    let slowest = seen.after.max_ms;
    assert!(seen.failed > 0 || slowest > HANG_MS, "none failed, and the slowest took {slowest} ms");
}
