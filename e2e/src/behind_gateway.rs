//! `behind-gateway`: behind Istio's gateway, a fault strikes one of two replicas under load.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;
use steadfaas_tests::client::{Ask, Reply};
use steadfaas_tests::load::Load;
use steadfaas_tests::record::Seen;
use xtask::command::say;

use crate::cluster::faults::Fault;
use crate::cluster::function::{self, Replica};
use crate::cluster::running::Running;
use crate::cluster::watch::Watch;
use crate::cluster::{control, istio, network};
use crate::envoy_filter::{self, Protected};

/// The function, its Service and its way through the gateway.
const OBJECTS: &str = include_str!("../behind-gateway/fib.yaml");

/// Requests a second, and for how long.
const RATE: f64 = 100.0;
const SECONDS: f64 = 12.0;

/// When the fault strikes. By then proxy and function have found their pace.
const STRUCK_AT: Duration = Duration::from_secs(4);

/// For how long it lasts where it doesn't end by itself: long enough for a readiness probe to fail three times.
const LASTS: Duration = Duration::from_secs(5);

/// istiod's settings are in use within half a second; the rest is for a machine that does other things too.
const SETTLE_PATIENCE: Duration = Duration::from_secs(30);

/// How often it is asked whether they are.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// By this the filter tells clients that it was there.
const HEADER: &str = "x-steadfaas";

/// Pods are ready some 3 s after they were asked for.
const READY_SECONDS: u32 = 60;

/// What was felt of it, by clients and by Kubernetes.
#[derive(Debug)]
pub struct Felt {
    /// What the clients' requests got.
    pub seen: Seen,
    /// How long after the fault Kubernetes had one ready replica less.
    pub noticed: Option<Duration>,
    /// How long after the fault it had both again.
    pub restored: Option<Duration>,
}

impl fmt::Display for Felt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = |time: Option<Duration>| {
            time.map_or("never".to_owned(), |time| format!("{:.2} s", time.as_secs_f64()))
        };
        let Seen { failed, requests, gap_ms, after: late, .. } = &self.seen;
        write!(
            f,
            "failed {failed} of {requests}, longest gap {gap_ms:.0} ms, p99 {:.0} ms, slowest {:.0} ms; \
             Kubernetes noticed after {}, redundant again after {}",
            late.p99_ms,
            late.max_ms,
            after(self.noticed),
            after(self.restored),
        )
    }
}

/// What protects the function in the trials that must not fail a request.
const PROTECTED: [&[&str]; 2] = [&["strategy: active-standby"], &["strategy: request-replication"]];

/// Without steadfaas, then with it, each on fresh pods of a cluster that has Istio.
///
/// # Errors
/// Something doesn't start, nothing answers, or a request fails with steadfaas.
pub fn run(running: &Running, fault: Fault) -> anyhow::Result<()> {
    running.kubectl().apply(OBJECTS)?;
    println!("{:<34} {}", "without steadfaas", trial(running, fault, None)?);
    for keys in PROTECTED {
        let (name, felt) = (keys.join(", "), trial(running, fault, Some(keys))?);
        println!("{name:<34} {felt}");
        anyhow::ensure!(felt.seen.failed == 0, "with {name} requests failed: {:?}", felt.seen.status);
    }
    Ok(())
}

/// One trial, with these keys of a functions file, or without steadfaas.
///
/// # Errors
/// As [`run`].
pub fn trial(running: &Running, fault: Fault, keys: Option<&[&str]>) -> anyhow::Result<Felt> {
    let kubectl = running.kubectl();
    // A container that is killed again and again is started ever later: each trial has fresh pods.
    kubectl.run(&["rollout", "restart", "deployment/fib"])?;
    kubectl.run(&["rollout", "status", "deployment/fib", &format!("--timeout={READY_SECONDS}s")])?;
    kubectl.run(&[
        "delete",
        "envoyfilter/steadfaas-fib",
        "--namespace=istio-system",
        "--ignore-not-found",
    ])?;
    let of_keys = |keys| Protected { service: "fib", namespace: "default", route: "fib", keys };
    let filter = keys.map(|keys| envoy_filter::for_gateway(&of_keys(keys))).transpose()?;
    let gateway = istio::gateway(running)?;
    let (control, system) = (running.machine(control::NAME)?, running.machine("system")?);
    network::assert_closed([&control, &system])?;
    let inside = || -> anyhow::Result<Felt> {
        let namespace = std::fs::File::open(format!("/proc/{}/ns/net", control.pid()))?;
        move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), Some(LinkNameSpaceType::Network))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(under_load(running, gateway, fault, filter))
    };
    // A thread of its own, and those that it starts, are in the cluster's network; this one stays outside.
    std::thread::scope(|scope| scope.spawn(inside).join())
        .map_err(|_| anyhow!("the trial's thread panicked"))?
}

async fn under_load(
    running: &Running,
    gateway: SocketAddr,
    fault: Fault,
    filter: Option<Value>,
) -> anyhow::Result<Felt> {
    // First without, so that it can be told when the new settings are in use, and not an earlier trial's.
    wait_until_settled(gateway, false).await?;
    if let Some(filter) = filter {
        running.kubectl().apply(&filter.to_string())?;
        wait_until_settled(gateway, true).await?;
    }
    let replicas = function::replicas(running.kubectl(), "app=fib")?;
    let count = replicas.len();
    anyhow::ensure!(count == 2, "there are {count} replicas of fib instead of 2");
    let watch = Watch::start(running.kubectl(), "fib")?;
    let load = Load::new(gateway, RATE, SECONDS).start().await?;
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

/// Waits until a request through the gateway is answered as it should be: by the function, and with or without the header
/// by which the filter says that it was there.
async fn wait_until_settled(gateway: SocketAddr, protected: bool) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let answer = Ask::get("fib", "/?n=15").send(gateway).await;
        let as_told =
            |reply: &Reply| reply.status.is_success() && reply.header(HEADER).is_empty() != protected;
        if answer.as_ref().is_ok_and(as_told) {
            say(&format!("the gateway's settings are in use after {:.1} s", began.elapsed().as_secs_f64()));
            return Ok(());
        }
        anyhow::ensure!(
            began.elapsed() < SETTLE_PATIENCE,
            "the gateway doesn't do as it was told: {answer:?}"
        );
        tokio::time::sleep(ASK_EVERY).await;
    }
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
