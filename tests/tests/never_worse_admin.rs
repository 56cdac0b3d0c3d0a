//! Whatever the admin endpoint does: requests are answered as without the filter.

use std::time::{Duration, Instant};

use hyper::StatusCode;
use steadfaas_tests::ports;
use steadfaas_tests::scripted::{Behaviour, Scripted};
use steadfaas_tests::stage::{Function, Stage, bootstrap};

/// Whatever it does, requests are answered at once, and counted as passed through for want of a view.
async fn assert_requests_pass(what: &str, admin: std::net::SocketAddr) -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: active-standby").await?;
    let mut bootstrap = bootstrap(&[&fib])?;
    bootstrap.ask_instead_of_admin(admin)?;
    let stage = Stage::open(&bootstrap).await?;
    for number in 0..30 {
        let sent = Instant::now();
        stage.all_answer(&fib, 1).await?;
        assert!(
            sent.elapsed() < Duration::from_secs(2),
            "{what}: request {number} took {:?}",
            sent.elapsed()
        );
        // Long enough for the filter to ask in between, and to take in what it hears.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(fib.executions(), 30, "{what}");
    let idle = fib.replicas.iter().any(|replica| replica.ledger().count() == 0);
    assert!(!idle, "{what}: Envoy draws one");
    stage.wait_for(|metrics| metrics.passed_through("fib", "no_view") == 30).await
}

#[tokio::test]
async fn an_admin_endpoint_that_refuses_lets_requests_pass() -> anyhow::Result<()> {
    assert_requests_pass("nobody listens", ports::free_address()).await
}

#[tokio::test]
async fn an_admin_endpoint_that_never_answers_lets_requests_pass() -> anyhow::Result<()> {
    let admin = Scripted::start(ports::free_address(), Behaviour::Frozen).await?;
    assert_requests_pass("silence", admin.address()).await?;
    assert!(admin.ledger().count() > 0, "it was asked");
    Ok(())
}

#[tokio::test]
async fn an_admin_endpoint_that_breaks_off_lets_requests_pass() -> anyhow::Result<()> {
    for behaviour in [
        Behaviour::ResetAfterRequest,
        Behaviour::ResetInAnswer,
        Behaviour::HeadThenSilence,
        Behaviour::Status(StatusCode::SERVICE_UNAVAILABLE),
        Behaviour::Status(StatusCode::NO_CONTENT),
    ] {
        let admin = Scripted::start(ports::free_address(), behaviour).await?;
        assert_requests_pass(&format!("{behaviour:?}"), admin.address()).await?;
        assert!(admin.ledger().count() > 0, "it was asked");
    }
    Ok(())
}

/// Answers from which nobody could learn of a replica.
const NONSENSE: [&str; 6] = [
    "",
    "<html>",
    "null",
    "{\"cluster_statuses\":[]}",
    "{\"cluster_statuses\":[{\"name\":\"fib\",\"host_statuses\":[{}]}]}",
    "{\"cluster_statuses\":[{\"name\":\"fib\",\"host_sta",
];

#[tokio::test]
async fn an_admin_endpoint_that_talks_nonsense_lets_requests_pass() -> anyhow::Result<()> {
    for text in NONSENSE {
        let admin = Scripted::start(ports::free_address(), Behaviour::Says(text)).await?;
        assert_requests_pass(text, admin.address()).await?;
        assert!(admin.ledger().count() > 0, "it was asked");
    }
    Ok(())
}

/// Hosts that Envoy's cluster doesn't have: one that could be, and one that couldn't.
const STRANGERS: [&str; 2] =
    [r#"{"address":"192.0.2.1","port_value":80}"#, r#"{"address":"","port_value":70000}"#];

#[tokio::test]
async fn a_view_of_replicas_that_are_not_there_lets_requests_pass() -> anyhow::Result<()> {
    for stranger in STRANGERS {
        let host = format!("{{\"address\":{{\"socket_address\":{stranger}}}}}");
        let text = format!("{{\"cluster_statuses\":[{{\"name\":\"fib\",\"host_statuses\":[{host}]}}]}}");
        let admin = Scripted::start(ports::free_address(), Behaviour::Says(text.leak())).await?;
        let fib = Function::new("fib", 2, "strategy: active-standby").await?;
        let mut bootstrap = bootstrap(&[&fib])?;
        bootstrap.ask_instead_of_admin(admin.address())?;
        let stage = Stage::open(&bootstrap).await?;
        for _ in 0..30 {
            stage.all_answer(&fib, 1).await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(fib.executions(), 30, "{stranger}");
        assert!(admin.ledger().count() > 0, "it was asked");
    }
    Ok(())
}
