//! When no replica answers, requests wait: for a restart, for a stall to end, for an outage to last too long; and only
//! so many of them.

use std::time::{Duration, Instant};

use anyhow::Context;
use hyper::StatusCode;
use serde_json::json;
use steadfaas_core::strategy::{PATIENCE, RESTART_PATIENCE};
use steadfaas_tests::client::{Ask, Reply};
use steadfaas_tests::deployment::Deployment;
use steadfaas_tests::fib::Options;
use steadfaas_tests::load::{Load, Running};
use steadfaas_tests::record::{Outcome, failed, statuses};
use steadfaas_tests::scripted::Behaviour;
use steadfaas_tests::stage::{Function, Stage};

const POLICY: &str = "strategy: active-standby; idempotent: \"true\"";

/// Requests a second.
const RATE: f64 = 50.0;

/// When the fault begins: the filter knows the function's pace by then.
const FAULT: Duration = Duration::from_secs(2);

/// What a container needs to start anew, and how long a stall lasts.
const AWAY: Duration = Duration::from_secs(2);

/// Between the first signal and the death of the last process.
const TO_DIE: Duration = Duration::from_millis(100);

/// Longer than requests wait.
const LONG: Duration = Duration::from_secs(20);

async fn function(name: &str, replicas: usize) -> anyhow::Result<(Deployment, Stage)> {
    let function = Deployment::new(name, replicas, &Options::TEN_MS, POLICY).await?;
    let stage = function.stage().await?;
    Ok((function, stage))
}

/// Kills all replicas, and has them back after a while. Says when they were killed.
async fn restart(function: &mut Deployment, running: &Running) -> anyhow::Result<Duration> {
    running.reach(FAULT).await;
    let killed = running.started().elapsed();
    function.kill()?;
    tokio::time::sleep(AWAY).await;
    function.restart().await?;
    Ok(killed)
}

/// It was under way while the replicas died.
fn met_the_end(outcome: &Outcome, killed: Duration) -> bool {
    outcome.is_during(killed, killed + TO_DIE)
}

/// Nothing failed but what was under way while the replicas died.
fn only_those_in_flight_failed(outcomes: &[Outcome], killed: Duration) {
    let others: Vec<_> =
        outcomes.iter().filter(|outcome| !outcome.got.is_good() && !met_the_end(outcome, killed)).collect();
    assert!(others.is_empty(), "killed at {killed:?}; these came later and failed: {others:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_only_replica_fails_nobody() -> anyhow::Result<()> {
    let (mut function, stage) = function("single", 1).await?;
    let running = function.load(&stage, RATE, 7.0).start().await?;
    restart(&mut function, &running).await?;
    let outcomes = running.finish().await;
    assert_eq!(failed(&outcomes), 0, "{:?}", statuses(&outcomes));
    Ok(())
}

/// Restarts all replicas of a function under load.
async fn restart_all(name: &str, replicas: usize) -> anyhow::Result<()> {
    let (mut function, stage) = function(name, replicas).await?;
    let running = function.load(&stage, RATE, 7.0).start().await?;
    let killed = restart(&mut function, &running).await?;
    only_those_in_flight_failed(&running.finish().await, killed);
    Ok(())
}

/// What was in flight finds its own replica dead, and then the other one, before anybody knows that it isn't one
/// replica that is gone but all: its tries are over within milliseconds. Whoever comes later waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_all_replicas_fails_only_what_was_in_flight() -> anyhow::Result<()> {
    restart_all("pair", 2).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_three_replicas_fails_only_what_was_in_flight() -> anyhow::Result<()> {
    restart_all("three", 3).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_of_all_replicas_fails_nobody_and_runs_nothing_more_than_twice() -> anyhow::Result<()> {
    let (function, stage) = function("stall", 2).await?;
    let before = function.counts()?;
    let running = function.load(&stage, RATE, 7.0).start().await?;
    running.reach(FAULT).await;
    let frozen = running.started().elapsed();
    function.freeze()?;
    tokio::time::sleep(AWAY).await;
    let thawed = running.started().elapsed();
    function.thaw()?;
    let outcomes = running.finish().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(failed(&outcomes), 0, "{:?}", statuses(&outcomes));
    let met = outcomes.iter().filter(|outcome| outcome.is_during(frozen, thawed)).count();
    let extra = function.counts()?.executions - before.executions - outcomes.len() as u64;
    println!("{met} requests met the stall, {extra} executions more than requests");
    // A tenth of the others: the budget, should the machine be busy.
    let most = met + outcomes.len() / 10;
    assert!(extra <= most as u64, "{extra} executions more than requests, of which {met} met the stall");
    Ok(())
}

fn is_told(reply: &Reply, function: &str, why: &str) -> anyhow::Result<()> {
    anyhow::ensure!(reply.status == 503, "{}: {}", reply.status, reply.text());
    anyhow::ensure!(reply.text().contains(function) && reply.text().contains(why), "{}", reply.text());
    anyhow::ensure!(reply.header("retry-after") == "1", "no Retry-After: {:?}", reply.headers);
    Ok(())
}

/// How long requests wait in the middle, and the least and most that jitter makes of it.
const WAIT: Duration = Duration::from_secs(10);
const LEAST_WAIT: Duration = Duration::from_secs(5);
const MOST_WAIT: Duration = Duration::from_secs(16);

/// Once the back-off is at its longest, one second with full jitter, who waits tries twice a second.
const TRIES_A_SECOND: u64 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_waited_out_for_ten_seconds_and_hammers_nobody() -> anyhow::Result<()> {
    const OUTAGE: Duration = Duration::from_secs(12);
    let (mut function, stage) = function("outage", 2).await?;
    let mut load = function.load(&stage, RATE, 15.0);
    load.timeout = LONG;
    let running = load.start().await?;
    running.reach(FAULT).await;
    let before = refused(&stage, "outage").await?;
    let killed = running.started().elapsed();
    function.kill()?;
    tokio::time::sleep(TO_DIE).await;
    is_told(
        &Ask::get("outage.test", "/").send(stage.target).await?,
        "outage",
        "none of its replicas answered",
    )?;
    running.reach(FAULT + OUTAGE - Duration::from_secs(1)).await;
    let late = refused(&stage, "outage").await?;
    running.reach(FAULT + OUTAGE).await;
    let end = refused(&stage, "outage").await?;
    let back = running.started().elapsed();
    function.restart().await?;
    let outcomes = running.finish().await;

    let met = outcomes.iter().filter(|outcome| outcome.ended() > killed && outcome.due < back);
    let (met, waiting) = (met.count() as u64, (RATE * WAIT.as_secs_f64()) as u64);
    println!(
        "{met} requests met it; {} refused connections, {} in the last second",
        end - before,
        end - late
    );
    assert!(end - before <= met * u64::from(PATIENCE + 1), "{} tries of {met} requests", end - before);
    assert!(
        end - late <= 2 * TRIES_A_SECOND * waiting,
        "{} tries a second of {waiting} who wait",
        end - late
    );
    for outcome in outcomes.iter().filter(|outcome| !met_the_end(outcome, killed)) {
        let waited = if outcome.got.is_good() { Duration::ZERO..MOST_WAIT } else { LEAST_WAIT..MOST_WAIT };
        assert!(waited.contains(&outcome.latency), "{outcome:?}");
    }
    let patient = outcomes.iter().filter(|outcome| outcome.due > back.saturating_sub(LEAST_WAIT));
    assert!(patient.clone().all(|outcome| outcome.got.is_good()), "who came late sees the return");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_four_replicas_fails_only_what_was_in_flight() -> anyhow::Result<()> {
    restart_all("four", 4).await
}

/// Whoever waits can't know which one it will be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_reaches_whichever_replica_comes_back_first() -> anyhow::Result<()> {
    for first in 0..2 {
        let (mut function, stage) = function("either", 2).await?;
        let running = function.load(&stage, RATE, 4.0).start().await?;
        running.reach(FAULT).await;
        let killed = running.started().elapsed();
        function.kill()?;
        running.reach(FAULT + AWAY / 2).await;
        function.replicas[first].restart().await?;
        only_those_in_flight_failed(&running.finish().await, killed);
    }
    Ok(())
}

/// As when a machine pauses and a container dies of it: the replica that was silent is back, but still set aside, and the
/// sidecar of the one that took over answers 503 for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_503_of_the_last_well_replica_goes_to_one_that_only_paused() -> anyhow::Result<()> {
    /// Long enough to be set aside for, and over before the first trial.
    const PAUSE: Duration = Duration::from_millis(250);
    let function = Function::new("paused", 2, POLICY).await?;
    let stage = Stage::with(&[&function]).await?;
    let load = Load { host: Some(function.host()), ..Load::new(stage.target, RATE, 4.0) };
    let running = load.start().await?;
    running.reach(FAULT).await;
    let mut replicas: Vec<_> = function.replicas.iter().collect();
    replicas.sort_by_key(|replica| replica.ledger().count());
    let [standby, active] = replicas.as_slice() else { panic!("two replicas") };
    active.behave(Behaviour::Frozen);
    running.reach(FAULT + PAUSE).await;
    active.behave(Behaviour::Well(Duration::from_millis(5)));
    standby.behave(Behaviour::Status(StatusCode::SERVICE_UNAVAILABLE));
    let switched = Instant::now();
    let outcomes = running.finish().await;
    let refused = standby.ledger().executions().iter().filter(|run| run.at > switched).count();
    println!("{refused} attempts met the one that answers 503");
    assert_eq!(failed(&outcomes), 0, "{:?}", statuses(&outcomes));
    Ok(())
}

/// A request that makes its only replica break the connection each time: a crash, it may be. It is run again for as long
/// as a restart may take; those that come after it aren't.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_breaks_its_only_replica_is_run_over_and_over_once() -> anyhow::Result<()> {
    let function = Function::new("poisoned", 1, POLICY).await?;
    let stage = Stage::with(&[&function]).await?;
    function.replicas.iter().for_each(|replica| replica.behave(Behaviour::ResetAfterRequest));
    let mut before = 0;
    for most in [RESTART_PATIENCE as usize + 1, 2, 2] {
        let reply = function.get("/").send(stage.target).await?;
        let runs = function.executions();
        assert_eq!(reply.status, 503);
        assert!(runs - before <= most, "it ran {} times", runs - before);
        before = runs;
    }
    Ok(())
}

/// Envoy's own count of connections that were refused or not answered.
async fn refused(stage: &Stage, function: &str) -> anyhow::Result<u64> {
    stage.envoy.stat(&format!("cluster.{function}.upstream_cx_connect_fail")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_requests_than_may_wait_are_told_so_at_once() -> anyhow::Result<()> {
    const MOST: usize = 10;
    let mut function = Deployment::new("crowd", 2, &Options::TEN_MS, POLICY).await?;
    let mut bootstrap = function.bootstrap()?;
    let limit = bootstrap.cluster("crowd")?.pointer_mut("/circuit_breakers/thresholds/0/max_retries");
    *limit.context("the cluster has no bound on waiting")? = json!(MOST);
    let stage = function.stage_with(&bootstrap).await?;
    let running = function.load(&stage, RATE, 5.0).start().await?;
    running.reach(FAULT).await;
    let killed = running.started().elapsed();
    function.kill()?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    is_told(&told_at_once(&stage).await?, "crowd", "too many requests wait")?;
    running.reach(FAULT + AWAY).await;
    let back = running.started().elapsed();
    function.restart().await?;
    let outcomes = running.finish().await;
    let meanwhile = outcomes.iter().filter(|outcome| outcome.due > killed + TO_DIE && outcome.due < back);
    let (waited, told): (Vec<&Outcome>, Vec<&Outcome>) = meanwhile.partition(|outcome| outcome.got.is_good());
    // Places become free when somebody is between two tries.
    assert!((MOST / 2..=2 * MOST).contains(&waited.len()), "{} waited", waited.len());
    let late = told.iter().filter(|outcome| outcome.latency > Duration::from_secs(1)).count();
    assert!(late <= MOST && told.len() > 5 * MOST, "{} were told, {late} of them late", told.len());
    Ok(())
}

/// Asks until it is told at once: while one is between two tries another one may take its place and wait.
async fn told_at_once(stage: &Stage) -> anyhow::Result<Reply> {
    let started = Instant::now();
    while started.elapsed() < AWAY / 2 {
        let asked = Ask::get("crowd.test", "/").send(stage.target);
        if let Ok(reply) = tokio::time::timeout(Duration::from_millis(300), asked).await {
            return reply;
        }
    }
    anyhow::bail!("nobody is told at once")
}
