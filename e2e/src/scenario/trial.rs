//! One trial: a load, and a fault that strikes the busiest replica in its midst.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use steadfaas_tests::load::Load;
use steadfaas_tests::pauses::{LONG_PAUSE, Pauses, RUNS};
use steadfaas_tests::record::{Outcome, Seen};
use xtask::command::say;

use super::felt::noticed_by_clients;
use super::interrupted::interrupted;
use super::{Felt, Moments, REPLICAS, Scenario, Scene, settled};
use crate::cluster::endpoint::enter;
use crate::cluster::faults::Fault;
use crate::cluster::function::{self, Replica};
use crate::cluster::network;
use crate::cluster::running::Running;
use crate::cluster::usage::Meter;
use crate::cluster::watch::{EnvoyWatch, Sightings, Watch};

/// Requests a second.
const RATE: f64 = 100.0;

/// When the fault strikes. By then proxy and function have found their pace.
pub(super) const STRUCK_AT: Duration = Duration::from_secs(4);

/// How long the load goes on when the fault has been taken back.
const AFTERWARDS: Duration = Duration::from_secs(3);

/// A node that came back had its pods ready again within 8 s, once after 29 s.
const REDUNDANT_PATIENCE: Duration = Duration::from_secs(40);

/// How often it is looked whether they are.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A trial of what must not fail a request. One in which some fail while the machine pauses is played once more: what a
/// pause did, it will hardly do each time, and what steadfaas did, it will do again.
pub(super) fn of_protection(running: &Running, scenario: &Scenario, keys: &[&str]) -> anyhow::Result<Felt> {
    for _ in 1..RUNS {
        let felt = trial(running, scenario, Some(keys))?;
        let failed = failed(&felt, scenario);
        if failed == 0 || felt.paused < LONG_PAUSE {
            return Ok(felt);
        }
        say(&format!("once more, as {failed} failed while the machine paused for {:.0?}", felt.paused));
    }
    trial(running, scenario, Some(keys))
}

/// With these keys of a functions file, or without steadfaas.
pub(super) fn trial(running: &Running, scenario: &Scenario, keys: Option<&[&str]>) -> anyhow::Result<Felt> {
    let stage = scenario.stage;
    stage.unprotect(running)?;
    let scene = stage.set(running)?;
    // Of another's cluster its owner knows where its network ends.
    if running.records().is_ok() {
        network::assert_closed(&running.machines()?)?;
    }
    let inside = || -> anyhow::Result<Felt> {
        enter(scene.network.as_deref())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(async {
            // Dropping a trial that isn't over takes its fault back.
            tokio::select! {
                felt = under_load(running, &scene, scenario, keys) => felt,
                error = interrupted() => Err(error),
            }
        })
    };
    // A thread of its own, and those that it starts, are in the cluster's network; this one stays outside.
    std::thread::scope(|scope| scope.spawn(inside).join())
        .map_err(|_| anyhow!("the trial's thread panicked"))?
}

async fn under_load(
    running: &Running,
    scene: &Scene,
    scenario: &Scenario,
    keys: Option<&[&str]>,
) -> anyhow::Result<Felt> {
    // First without, so that it can be told when the new settings are in use, and not an earlier trial's.
    settled::wait(scene, false).await?;
    if let Some(keys) = keys {
        scenario.stage.protect(running, scene, keys)?;
        settled::wait(scene, true).await?;
    }
    let replicas = function::replicas(running.kubectl(), &scene.namespace, &scene.pods)?;
    let count = replicas.len();
    anyhow::ensure!(count == REPLICAS, "there are {count} replicas of {} instead of {REPLICAS}", scene.pods);
    let watch = Watch::start(running.kubectl(), &scene.namespace, &scene.service)?;
    let envoy = EnvoyWatch::start(scenario.stage.proxy().admin(running)?, &scene.namespace, &scene.service)?;
    let over_at = STRUCK_AT + scenario.fault.lasts();
    let seconds = (over_at + AFTERWARDS).as_secs_f64();
    let (host, path) = (Some(scene.host.clone()), scene.path.clone());
    let load = scenario.stage.load(Load { host, path, ..Load::new(scene.target, RATE, seconds) });
    let (load, pauses) = (load.start().await?, Pauses::watch());
    let meter = Meter::start(running, load.started())?;
    load.reach(STRUCK_AT - Duration::from_secs(1)).await;
    let target = busiest(running, &replicas)?;
    load.reach(STRUCK_AT).await;
    let struck = Instant::now();
    let in_force = scenario.fault.strike(running, target)?;
    load.reach(over_at).await;
    in_force.undo()?;
    let progress = load.progress();
    let outcomes = load.finish().await;
    let paused = pauses.longest();
    let usage = meter.map(|meter| meter.finish(running.kubectl())).transpose()?;
    // An old revision's replicas never come back.
    if scenario.fault != Fault::NewRevision {
        redundant_again(&[watch.sightings(), envoy.sightings()], count, struck).await;
    }
    Ok(Felt {
        seen: Seen::of(&outcomes, STRUCK_AT),
        refusals: progress.refusals(),
        clients_noticed_s: noticed_by_clients(&outcomes, STRUCK_AT),
        envoy: Moments::of(envoy.sightings(), count, struck),
        kubernetes: Moments::of(watch.sightings(), count, struck),
        usage: usage.unwrap_or_default(),
        paused,
        outcomes,
    })
}

/// How many requests failed, but for those that came while the fault may still be felt.
pub(super) fn failed(felt: &Felt, scenario: &Scenario) -> usize {
    let felt_until = STRUCK_AT + scenario.fault.may_be_felt_for();
    let counts = |outcome: &&Outcome| !(STRUCK_AT..felt_until).contains(&outcome.due);
    felt.outcomes.iter().filter(counts).filter(|outcome| !outcome.got.is_good()).count()
}

/// Waits until all who noticed the fault take every replica for well again, or until it has taken too long.
async fn redundant_again(sightings: &[&Sightings], count: usize, struck: Instant) {
    let lost =
        |one: &&Sightings| one.fewer_than(count, struck).is_some() && one.restored(count, struck).is_none();
    let began = Instant::now();
    while began.elapsed() < REDUNDANT_PATIENCE && sightings.iter().any(lost) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The replica that runs the function most: of an active one and its standby, the active one.
fn busiest<'a>(running: &Running, replicas: &'a [Replica]) -> anyhow::Result<&'a Replica> {
    let mut busiest = None;
    for replica in replicas {
        busiest = busiest.max(Some((replica.executions(running.kubectl())?, &replica.pod)));
    }
    let (_, pod) = busiest.context("there is no replica")?;
    replicas.iter().find(|replica| replica.pod == *pod).context("there is no replica")
}
