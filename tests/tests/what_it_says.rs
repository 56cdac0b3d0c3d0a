//! What the filter says of what it did: metrics, the access log, the header for debugging.

use steadfaas_tests::scripted::Behaviour;
use steadfaas_tests::stage::{Function, Stage, bootstrap};

#[tokio::test]
async fn requests_extra_attempts_failovers_and_suspicions_are_counted() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: retry").await?;
    let stage = Stage::with(&[&fib]).await?;
    let before = stage.metric(&fib, "requests").await?.unwrap_or(0);
    stage.all_answer(&fib, 10).await?;
    stage.wait_for(|metrics| metrics.get("requests", "fib") >= Some(before + 10)).await?;
    for metric in ["extra_attempts", "failovers", "suspected"] {
        assert_eq!(stage.metric(&fib, metric).await?.unwrap_or(0), 0, "{metric}, while all is well");
    }
    fib.replicas[0].behave(Behaviour::ResetAfterRequest);
    stage.all_answer(&fib, 4).await?;
    stage
        .wait_for(|metrics| {
            let is = |name, value| metrics.get(name, "fib") == Some(value);
            is("extra_attempts", 1) && is("failovers", 1) && is("suspected", 1) && is("replicas_well", 1)
        })
        .await?;
    fib.replicas[0].behave(Behaviour::Well(std::time::Duration::ZERO));
    stage.wait_for_view(&fib).await
}

#[tokio::test]
async fn replication_counts_one_extra_attempt_a_request() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: request-replication").await?;
    let stage = Stage::with(&[&fib]).await?;
    let count = async |name| anyhow::Ok(stage.metric(&fib, name).await?.unwrap_or(0));
    let (requests, extra) = (count("requests").await?, count("extra_attempts").await?);
    stage.all_answer(&fib, 10).await?;
    let least = |metrics: &steadfaas_tests::metrics::Metrics| {
        metrics.get("requests", "fib") >= Some(requests + 10)
            && metrics.get("extra_attempts", "fib") >= Some(extra + 8)
    };
    stage.wait_for(least).await
}

#[tokio::test]
async fn the_active_replica_can_be_told_from_the_mask() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: active-standby").await?;
    let stage = Stage::with(&[&fib]).await?;
    stage.all_answer(&fib, 6).await?;
    let mut addresses: Vec<_> = fib.replicas.iter().map(|replica| replica.address().to_string()).collect();
    addresses.sort();
    let active = fib.replicas.iter().max_by_key(|replica| replica.ledger().count()).unwrap();
    let place = addresses.iter().position(|address| *address == active.address().to_string()).unwrap();
    stage.wait_for(|metrics| metrics.get("active_mask", "fib") == Some(1 << place)).await
}

#[tokio::test]
async fn the_access_log_says_what_happened_when_something_did() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: retry").await?;
    let stage = Stage::with(&[&fib]).await?;
    fib.replicas[0].behave(Behaviour::ResetAfterRequest);
    for path in ["/one", "/two"] {
        assert_eq!(fib.get(path).send(stage.target).await?.status, 200);
    }
    let saver = fib.replicas[1].address().to_string();
    let log = stage.close_and_read_log().await?;
    let lines: Vec<_> = log.lines().filter(|line| line.contains("/one") || line.contains("/two")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    let telling: Vec<_> =
        lines.iter().filter(|line| line.contains("strategy") || line.contains("retry")).collect();
    assert_eq!(telling.len(), 1, "the one that was saved says so, the other has nothing to say: {lines:?}");
    assert!(telling[0].contains(&saver) && telling[0].contains('2'), "{}", telling[0]);
    Ok(())
}

#[tokio::test]
async fn the_answer_has_no_header_of_ours_unless_asked_for() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: retry").await?;
    let stage = Stage::with(&[&fib]).await?;
    let reply = fib.get("/").send(stage.target).await?;
    assert!(!reply.headers.contains_key(steadfaas_core::envoy::RESPONSE_HEADER));
    Ok(())
}

#[tokio::test]
async fn when_all_replicas_are_down_clients_get_one_503_that_names_the_function() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: active-standby").await?;
    let other = Function::new("other", 1, "strategy: retry").await?;
    let stage = Stage::open(&bootstrap(&[&fib, &other])?).await?;
    stage.wait_for_view(&fib).await?;
    for replica in &fib.replicas {
        replica.die().await;
    }
    let reply = fib.get("/").send(stage.target).await?;
    assert_eq!(reply.status, 503);
    assert!(reply.text().contains("fib"), "{}", reply.text());
    assert!(!reply.text().contains("other"), "{}", reply.text());
    assert_eq!(other.get("/").send(stage.target).await?.status, 200);
    Ok(())
}
