//! A deadline holds for all attempts together; the function is told it, and drops what nobody waits for any more.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use steadfaas_core::envoy::DEADLINE_HEADER;
use steadfaas_tests::client::Ask;
use steadfaas_tests::deployment::Deployment;
use steadfaas_tests::fib::Options;
use steadfaas_tests::load::Load;
use steadfaas_tests::record::Got;
use steadfaas_tests::scripted::Behaviour;
use steadfaas_tests::stage::{Function, Stage};

const DEADLINE: Duration = Duration::from_millis(500);

/// Envoy's timers and this clock count from moments that are a millisecond or two apart.
const EARLIEST: Duration = Duration::from_millis(480);

/// Envoy's timers count from the beginning of a turn of its loop, the deadline from the moment in it at which the request
/// was planned: where the machine pauses between the two, the client is told so much before the deadline.
const EARLY_TIMERS: Duration = Duration::from_millis(200);

/// A machine that compiles meanwhile is late.
const LATENESS: Duration = Duration::from_secs(1);

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

/// The deadlines that the function was told, execution by execution.
fn told(function: &Function) -> Vec<u128> {
    let executions = function.replicas.iter().flat_map(|replica| replica.ledger().executions());
    executions.map(|execution| execution.header(DEADLINE_HEADER).parse().unwrap_or(0)).collect()
}

fn freeze(function: &Function) {
    function.replicas.iter().for_each(|replica| replica.behave(Behaviour::Frozen));
}

/// Asks for an answer that never comes, and says after how long it was told so.
async fn time_out(ask: Ask, stage: &Stage) -> anyhow::Result<Duration> {
    let asked = Instant::now();
    let reply = ask.send(stage.target).await?;
    assert_eq!(reply.status, 504, "{}", reply.text());
    Ok(asked.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_function_is_told_until_when_it_is_waited_for() -> anyhow::Result<()> {
    let function = Function::new("told", 2, "strategy: retry; deadline: 500ms").await?;
    let stage = Stage::with(&[&function]).await?;
    let before = now();
    stage.all_answer(&function, 1).await?;
    let (from, until) = (before + DEADLINE.as_millis(), now() + DEADLINE.as_millis());
    let told = told(&function);
    assert!(told.len() == 1 && (from..=until).contains(&told[0]), "{told:?}, not {from} to {until}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_attempts_together_are_over_at_the_deadline() -> anyhow::Result<()> {
    let function = Function::new("frozen", 2, "strategy: retry; deadline: 500ms; hedge-after: 100ms").await?;
    let stage = Stage::with(&[&function]).await?;
    freeze(&function);
    let took = time_out(function.get("/"), &stage).await?;
    assert!((EARLIEST..DEADLINE + LATENESS).contains(&took), "{took:?}");
    let told = told(&function);
    assert!(told.len() > 1, "the second replica was asked too: {told:?}");
    assert!(told.iter().all(|deadline| *deadline == told[0]), "the same for each attempt: {told:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_within_another_one_ends_when_that_one_does() -> anyhow::Result<()> {
    let with = Function::new("with", 2, "strategy: retry; deadline: 60s").await?;
    let without = Function::new("without", 2, "strategy: retry").await?;
    let stage = Stage::with(&[&with, &without]).await?;
    for function in [&with, &without] {
        freeze(function);
        let inherited = now() + DEADLINE.as_millis();
        let ask = function.get("/").header(DEADLINE_HEADER, inherited.to_string().as_bytes())?;
        let took = time_out(ask, &stage).await?;
        assert!(took < DEADLINE + LATENESS, "{}: {took:?}", function.name);
        assert!(told(function).iter().all(|deadline| *deadline == inherited), "{}", function.name);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thawed_function_drops_what_nobody_waits_for() -> anyhow::Result<()> {
    let settings = "strategy: retry; deadline: 500ms";
    let function = Deployment::new("thawed", 2, &Options::TEN_MS, settings).await?;
    let stage = function.stage().await?;
    let before = function.counts()?;
    function.freeze()?;
    let load: Load = function.load(&stage, 50.0, 1.0);
    let outcomes = load.run().await?;
    tokio::time::sleep(EARLY_TIMERS).await;
    function.thaw()?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let after = function.counts()?;
    for outcome in &outcomes {
        assert_eq!(outcome.got, Got::Answer(504), "{outcome:?}");
        assert!((EARLIEST..DEADLINE + LATENESS).contains(&outcome.latency), "{outcome:?}");
    }
    let (received, dropped) = (after.received - before.received, after.dropped - before.dropped);
    assert_eq!(after.executions, before.executions, "nothing is run for nobody");
    assert!(dropped > 0 && dropped == received, "{dropped} of {received} were dropped");
    Ok(())
}
