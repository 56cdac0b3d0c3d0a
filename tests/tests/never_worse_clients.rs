//! Nothing that a client sends breaks the filter, chooses a replica or raises a limit.

use std::time::Duration;

use hyper::StatusCode;
use steadfaas_core::envoy::REPLICAS_HEADER;
use steadfaas_tests::client::Ask;
use steadfaas_tests::metrics::Metrics;
use steadfaas_tests::scripted::Behaviour;
use steadfaas_tests::stage::{Function, Stage, bootstrap};

/// Headers by which Envoy lets whoever it trusts raise limits.
const RETRY_HEADERS: [(&str, &str); 6] = [
    ("x-envoy-retry-on", "5xx,reset,retriable-headers,retriable-status-codes"),
    ("x-envoy-retry-grpc-on", "unavailable"),
    ("x-envoy-max-retries", "50"),
    ("x-envoy-retriable-header-names", "x-replica"),
    ("x-envoy-hedge-on-per-try-timeout", "true"),
    ("x-envoy-upstream-rq-per-try-timeout-ms", "1"),
];

/// As many series as there can be of one function while nothing but its first requests passes through: five counters,
/// five gauges, and the count of changes that is the proxy's own.
const KINDS_OF_METRICS: usize = 11;

/// The stage as rendered (every client is external), and one whose Envoy trusts its clients.
async fn stages(functions: &[&Function]) -> anyhow::Result<[Stage; 2]> {
    let as_rendered = bootstrap(functions)?;
    let mut trusting = bootstrap(functions)?;
    trusting.trust_clients()?;
    let stages = [Stage::open(&as_rendered).await?, Stage::open(&trusting).await?];
    for stage in &stages {
        for function in functions {
            stage.wait_for_view(function).await?;
        }
    }
    Ok(stages)
}

fn with_retry_headers(mut ask: Ask) -> anyhow::Result<Ask> {
    for (name, value) in RETRY_HEADERS {
        ask = ask.header(name, value.as_bytes())?;
    }
    Ok(ask)
}

#[tokio::test]
async fn headers_that_are_not_utf_8_pass() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: retry").await?;
    let stage = Stage::with(&[&fib]).await?;
    let bytes = [0xff, 0xfe, b'x', 0x80];
    for name in ["x-any", "user-agent", "content-type", "idempotency-key", "ce-id", "cookie", "x-request-id"]
    {
        let reply = fib.get("/").header(name, &bytes)?.send(stage.target).await?;
        assert_eq!(reply.status, 200, "{name}: {}", reply.text());
    }
    let seen = fib.replicas.iter().flat_map(|replica| replica.ledger().executions());
    let with_it = seen.filter(|execution| execution.headers.values().any(|value| value.as_bytes() == bytes));
    assert!(with_it.count() >= 6, "the function gets them as they are");
    Ok(())
}

#[tokio::test]
async fn a_client_chooses_no_replica_of_the_function_and_none_of_another() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: active-standby").await?;
    let other = Function::new("other", 1, "strategy: retry").await?;
    for stage in stages(&[&fib, &other]).await? {
        fib.forget();
        other.forget();
        stage.all_answer(&fib, 4).await?;
        let standby = fib.replicas.iter().min_by_key(|replica| replica.ledger().count()).unwrap();
        fib.forget();
        for address in [standby.address(), other.replicas[0].address()] {
            for _ in 0..5 {
                let ask = fib.get("/").header(REPLICAS_HEADER, address.to_string().as_bytes())?;
                assert_eq!(ask.send(stage.target).await?.status, 200);
            }
        }
        // The standby is looked after now and then, and helps out where this machine makes an answer late.
        assert!(standby.ledger().count() <= 2, "the client chose the standby");
        assert!((10..=12).contains(&fib.executions()), "{} executions of 10 requests", fib.executions());
        assert_eq!(other.executions(), 0, "the client chose another function's replica");
    }
    Ok(())
}

#[tokio::test]
async fn a_client_s_retry_headers_repeat_nothing_that_must_not_run_twice() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: retry").await?;
    for stage in stages(&[&fib]).await? {
        for behaviour in [
            Behaviour::Status(StatusCode::INTERNAL_SERVER_ERROR),
            Behaviour::Status(StatusCode::SERVICE_UNAVAILABLE),
            Behaviour::Well(Duration::from_millis(50)),
        ] {
            fib.replicas.iter().for_each(|replica| replica.behave(behaviour));
            fib.forget();
            with_retry_headers(fib.post("/", "1"))?.send(stage.target).await?;
            assert_eq!(fib.executions(), 1, "{behaviour:?}");
        }
        fib.replicas.iter().for_each(|replica| replica.behave(Behaviour::Well(Duration::ZERO)));
    }
    Ok(())
}

#[tokio::test]
async fn a_client_s_retry_headers_raise_no_limit_of_what_may_run_twice() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: retry").await?;
    for stage in stages(&[&fib]).await? {
        fib.forget();
        fib.replicas
            .iter()
            .for_each(|replica| replica.behave(Behaviour::Status(StatusCode::SERVICE_UNAVAILABLE)));
        with_retry_headers(fib.get("/"))?.send(stage.target).await?;
        assert_eq!(fib.executions(), 3, "two retries are what the policy allows");
        fib.forget();
        fib.replicas
            .iter()
            .for_each(|replica| replica.behave(Behaviour::Status(StatusCode::INTERNAL_SERVER_ERROR)));
        with_retry_headers(fib.get("/"))?.send(stage.target).await?;
        assert_eq!(fib.executions(), 1, "500 is the function's own answer");
        fib.replicas.iter().for_each(|replica| replica.behave(Behaviour::Well(Duration::ZERO)));
    }
    Ok(())
}

#[tokio::test]
async fn no_header_of_ours_reaches_the_function() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: request-replication").await?;
    for stage in stages(&[&fib]).await? {
        fib.forget();
        with_retry_headers(fib.get("/"))?.header(REPLICAS_HEADER, b"127.0.0.1:1")?.send(stage.target).await?;
        for execution in fib.replicas.iter().flat_map(|replica| replica.ledger().executions()) {
            for name in RETRY_HEADERS.map(|(name, _)| name).into_iter().chain([REPLICAS_HEADER]) {
                assert_eq!(execution.header(name), "", "{name} reaches the function");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_thousand_hosts_make_no_more_metrics_than_one() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: retry").await?;
    let mut any_host = bootstrap(&[&fib])?;
    let hosts = any_host.connection_manager()?.pointer_mut("/route_config/virtual_hosts/0/domains").unwrap();
    *hosts = serde_json::json!(["*"]);
    let stage = Stage::open(&any_host).await?;
    stage.wait_for_view(&fib).await?;
    let served = stage.metric(&fib, "requests").await?.unwrap_or(0);
    for number in 0..1_000 {
        let reply =
            Ask::get(&format!("host-{number}.test"), &format!("/{number}")).send(stage.target).await?;
        assert_eq!(reply.status, 200);
    }
    stage.wait_for(|metrics| metrics.get("requests", "fib") >= Some(served + 1_000)).await?;
    let metrics = Metrics::of(&stage.envoy).await?;
    assert!(!metrics.text().contains("host-"), "{}", metrics.text());
    assert!(metrics.series() <= KINDS_OF_METRICS, "{}", metrics.text());
    Ok(())
}
