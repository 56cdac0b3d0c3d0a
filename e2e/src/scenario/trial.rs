//! One trial: a load, and a fault that strikes the busiest replica in its midst.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;
use steadfaas_tests::load::Load;
use steadfaas_tests::record::Seen;

use super::{Felt, REPLICAS, Scene, Stage, settled};
use crate::cluster::faults::Fault;
use crate::cluster::function::{self, Replica};
use crate::cluster::network;
use crate::cluster::running::Running;
use crate::cluster::watch::Watch;
use crate::envoy_filter::LABEL;

/// Requests a second, and for how long.
const RATE: f64 = 100.0;
const SECONDS: f64 = 12.0;

/// When the fault strikes. By then proxy and function have found their pace.
const STRUCK_AT: Duration = Duration::from_secs(4);

/// For how long it lasts where it doesn't end by itself: long enough for a readiness probe to fail three times.
const LASTS: Duration = Duration::from_secs(5);

/// With these keys of a functions file, or without steadfaas.
pub(super) fn trial(
    running: &Running,
    stage: &dyn Stage,
    fault: Fault,
    keys: Option<&[&str]>,
) -> anyhow::Result<Felt> {
    let selector = format!("--selector={LABEL}");
    running.kubectl().run(&["delete", "envoyfilters", "--all-namespaces", &selector])?;
    let scene = stage.set(running)?;
    let filters = keys.map(|keys| stage.filters(&scene, keys)).transpose()?;
    network::assert_closed(&running.machines()?)?;
    let inside = || -> anyhow::Result<Felt> {
        let path = &scene.network;
        let namespace = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(under_load(running, &scene, fault, filters))
    };
    // A thread of its own, and those that it starts, are in the cluster's network; this one stays outside.
    std::thread::scope(|scope| scope.spawn(inside).join())
        .map_err(|_| anyhow!("the trial's thread panicked"))?
}

async fn under_load(
    running: &Running,
    scene: &Scene,
    fault: Fault,
    filters: Option<Value>,
) -> anyhow::Result<Felt> {
    // First without, so that it can be told when the new settings are in use, and not an earlier trial's.
    settled::wait(scene, false).await?;
    if let Some(filters) = filters {
        running.kubectl().apply(&filters.to_string())?;
        settled::wait(scene, true).await?;
    }
    let replicas = function::replicas(running.kubectl(), &scene.pods)?;
    let count = replicas.len();
    anyhow::ensure!(count == REPLICAS, "there are {count} replicas of {} instead of {REPLICAS}", scene.pods);
    let watch = Watch::start(running.kubectl(), &scene.service)?;
    let load = Load { host: Some(scene.host.clone()), ..Load::new(scene.target, RATE, SECONDS) };
    let load = load.start().await?;
    load.reach(STRUCK_AT - Duration::from_secs(1)).await;
    let target = busiest(&replicas).await?;
    load.reach(STRUCK_AT).await;
    let struck = Instant::now();
    let in_force = fault.strike(running, target)?;
    load.reach(STRUCK_AT + LASTS).await;
    in_force.undo()?;
    let seen = Seen::of(&load.finish().await, STRUCK_AT);
    let since = |moment: Option<Instant>| Some(moment?.saturating_duration_since(struck));
    Ok(Felt {
        seen,
        noticed: since(watch.fewer_than(count, struck)),
        restored: since(watch.restored(count, struck)),
    })
}

/// The replica that runs the function most: of an active one and its standby, the active one.
async fn busiest(replicas: &[Replica]) -> anyhow::Result<&Replica> {
    let mut busiest = None;
    for replica in replicas {
        busiest = busiest.max(Some((replica.executions().await?, &replica.pod)));
    }
    let (_, pod) = busiest.context("there is no replica")?;
    replicas.iter().find(|replica| replica.pod == *pod).context("there is no replica")
}
