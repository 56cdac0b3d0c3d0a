//! Whatever a policy says, or whether there is one: requests are answered as without the filter.

use steadfaas_core::envoy::REPLICAS_HEADER;
use steadfaas_tests::stage::{Function, Stage, bootstrap};

/// A policy's text, and the reason that is counted for each request that passes.
const POLICIES: [(&str, &str); 6] = [
    (r#"{"version":1,"function":"fib","sett"#, "policy_unreadable"),
    ("\u{1F980}", "policy_unreadable"),
    (r#"{"version":2,"function":"fib","settings":{"strategy":"retry"},"more":[1]}"#, "policy_later_version"),
    (r#"{"version":1,"function":"fib","settings":{"strategy":"quorum"}}"#, "policy_not_built"),
    (
        r#"{"version":1,"function":"fib","settings":{"strategy":"retry","objective":"cost"}}"#,
        "policy_not_built",
    ),
    (r#"{"version":1,"function":"fib","settings":{"strategy":"rety"}}"#, "policy_invalid"),
];

#[tokio::test]
async fn a_policy_that_can_t_be_followed_lets_requests_pass_and_says_why() -> anyhow::Result<()> {
    for (text, reason) in POLICIES {
        let fib = Function::new("fib", 2, "strategy: retry").await?;
        let mut bootstrap = bootstrap(&[&fib])?;
        bootstrap.set_policy("fib", Some(text))?;
        let stage = Stage::open(&bootstrap).await?;
        stage.all_answer(&fib, 20).await?;
        assert_eq!(fib.executions(), 20, "{text}");
        assert!(fib.replicas.iter().all(|replica| replica.ledger().count() > 0), "{text}: Envoy draws one");
        stage.wait_for(|metrics| metrics.passed_through("fib", reason) == 20).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_function_without_policy_is_left_alone() -> anyhow::Result<()> {
    let (fib, plain) = (
        Function::new("fib", 2, "strategy: retry").await?,
        Function::new("plain", 2, "strategy: retry").await?,
    );
    let mut bootstrap = bootstrap(&[&fib, &plain])?;
    bootstrap.set_policy("plain", None)?;
    let stage = Stage::open(&bootstrap).await?;
    stage.wait_for_view(&fib).await?;
    stage.all_answer(&plain, 20).await?;
    assert!(plain.replicas.iter().all(|replica| replica.ledger().count() > 0), "Envoy draws one");
    stage.all_answer(&fib, 1).await?;
    stage
        .wait_for(|metrics| metrics.get("requests", "fib").is_some() && !metrics.text().contains("plain"))
        .await
}

#[tokio::test]
async fn the_private_header_chooses_no_replica_even_where_the_policy_can_t_be_followed() -> anyhow::Result<()>
{
    for (policy, _) in POLICIES {
        let fib = Function::new("fib", 2, "strategy: retry").await?;
        let mut bootstrap = bootstrap(&[&fib])?;
        bootstrap.set_policy("fib", Some(policy))?;
        bootstrap.trust_clients()?;
        let stage = Stage::open(&bootstrap).await?;
        let wanted = fib.replicas[0].address().to_string();
        for _ in 0..20 {
            let request = fib.get("/").header(REPLICAS_HEADER, wanted.as_bytes())?;
            assert_eq!(request.send(stage.target).await?.status, 200);
        }
        assert!(fib.replicas[1].ledger().count() > 0, "policy {policy}: the client chose its replica");
    }
    Ok(())
}

#[tokio::test]
async fn two_functions_with_different_policies_don_t_touch_each_other() -> anyhow::Result<()> {
    let standby = Function::new("standby", 2, "strategy: active-standby").await?;
    let copies = Function::new("copies", 2, "strategy: request-replication").await?;
    let stage = Stage::with(&[&standby, &copies]).await?;
    for _ in 0..20 {
        stage.all_answer(&standby, 1).await?;
        stage.all_answer(&copies, 1).await?;
    }
    let busy: Vec<_> = standby.replicas.iter().filter(|replica| replica.ledger().count() > 1).collect();
    assert_eq!(busy.len(), 1, "one replica of `standby` is active");
    assert!(copies.executions() >= 36, "`copies` ran {} times for 20 requests", copies.executions());
    busy[0].die().await;
    stage.all_answer(&standby, 10).await?;
    stage.all_answer(&copies, 10).await?;
    stage
        .wait_for(|metrics| {
            metrics.get("replicas_well", "standby") == Some(1)
                && metrics.get("replicas_well", "copies") == Some(2)
        })
        .await
}
