//! A function with a quick path and a slow one: each is late only when it is later than it usually is itself.

use std::time::Duration;

use steadfaas_tests::deployment::Deployment;
use steadfaas_tests::fib::Options;
use steadfaas_tests::load::Aside;
use steadfaas_tests::record::{failed, statuses};

const OPTIONS: Options = Options { slow_work: Some(Duration::from_millis(80)), ..Options::TEN_MS };

/// One request in five takes eight times as long as the others.
const SLOW: Aside = Aside { path: "/slow", every: 5 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_slow_path_of_a_function_is_not_hedged_for_being_slow() -> anyhow::Result<()> {
    for strategy in ["retry", "active-standby", "hedged"] {
        let settings = format!("strategy: {strategy}");
        let function = Deployment::new(strategy, 2, &OPTIONS, &settings).await?;
        let stage = function.stage().await?;
        let before = function.counts()?;
        let mut load = function.load(&stage, 100.0, 6.0);
        load.aside = Some(SLOW);
        let outcomes = load.run().await?;
        assert_eq!(failed(&outcomes), 0, "{strategy}: {:?}", statuses(&outcomes));
        let extra = function.counts()?.executions - before.executions - outcomes.len() as u64;
        let slow = outcomes.iter().filter(|outcome| outcome.aside).count() as u64;
        println!("{strategy}: {extra} executions more than the {} requests", outcomes.len());
        // Hedging each slow one would cost as many as there are; a busy machine makes some of them late.
        assert!(extra <= slow / 2, "{strategy}: {extra} executions more than requests, {slow} of them slow");
    }
    Ok(())
}
