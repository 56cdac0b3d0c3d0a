//! `steadfaas controller`: watches functions and keeps their EnvoyFilters, and the routes that they ask for, right.
//!
//! What happens to a change, by file name: [`watches`] tells of it -> [`world`] knows what else is in its namespace ->
//! [`decide`], one function at a time by [`verdict`] -> [`action`] -> [`mod@write`]. Only the first and the last speak to the
//! API server. Nothing but the cluster's objects is remembered beyond a restart: the last good policy is an annotation of
//! the EnvoyFilter, what was said of a function is its `steadfaas.dev/status`.

mod action;
mod decide;
mod endpoints;
mod filters;
mod lease;
pub mod limits;
mod metrics;
mod nodes;
mod placement;
mod retry;
mod routes;
mod server;
mod settings;
pub(crate) mod standby;
pub mod status;
mod verdict;
mod watches;
mod world;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

pub use settings::Settings;
pub use watches::SILENCE;
pub use write::FIELD_MANAGER;

use self::action::Action;
use self::metrics::Metrics;
use self::retry::Retries;
use self::watches::Change;
use self::world::World;
use self::write::Writer;

/// Where metrics and health are by default: nothing else is served, and nothing can be changed there.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080);

/// Changes that come within this time are looked at together: one `kubectl apply` of a function is several.
const TOGETHER: Duration = Duration::from_millis(20);

/// So many writes are under way at once: two thousand new functions are done in seconds, and an API server's fair queues
/// still have room for others.
const WRITES_AT_ONCE: usize = 8;

/// Why the controller can't run.
#[derive(Debug, Error)]
pub enum ControllerError {
    /// No way to the API server is configured.
    #[error("no way to the API server: neither a kubeconfig nor a pod's service account is there")]
    Client(#[from] kube::Error),
    /// The address for metrics is taken.
    #[error("metrics can't be served on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Signals can't be awaited.
    #[error("signals can't be awaited")]
    Signals(#[source] io::Error),
}

/// Runs until it is told to end (SIGTERM, SIGINT).
///
/// # Errors
/// It can't start; nothing that happens later ends it.
pub async fn run(client: Client, settings: Settings) -> Result<(), ControllerError> {
    let metrics = Arc::new(Metrics::default());
    let address = settings.listen;
    server::start(address, Arc::clone(&metrics))
        .await
        .map_err(|source| ControllerError::Listen { address, source })?;
    let (tell, changes) = mpsc::unbounded_channel();
    let world = World::new(watches::start(&client, &settings, &tell));
    let (leads, is_leader) = watch::channel(false);
    let stop = stopped()?;
    let keeper = lease::Keeper::new(&client, &settings);
    let writer = Writer::new(&client, &settings, &metrics);
    let work = work(world, writer, settings, metrics, changes, is_leader);
    tokio::select! {
        () = keeper.keep(leads, stop) => {}
        () = work => {}
    }
    Ok(())
}

/// Resolves when it is to end.
fn stopped() -> Result<impl Future<Output = ()>, ControllerError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ControllerError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ControllerError::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Looks at what changed and does what is to be done, one look after the other.
async fn work(
    mut world: World,
    writer: Writer,
    settings: Settings,
    metrics: Arc<Metrics>,
    mut changes: mpsc::UnboundedReceiver<Change>,
    mut is_leader: watch::Receiver<bool>,
) {
    let (mut retries, mut has_more) = (Retries::default(), false);
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Some(change) => world.note(change),
                None => return,
            },
            Ok(()) = is_leader.changed() => {
                let leads = *is_leader.borrow_and_update();
                metrics.leads.store(leads, Ordering::Relaxed);
                tracing::info!(leads, "leadership");
                world.take_over();
            }
            () = until(retries.next()) => {}
            () = std::future::ready(()), if has_more => {}
        }
        tokio::time::sleep(TOGETHER).await;
        while let Ok(change) = changes.try_recv() {
            world.note(change);
        }
        for namespace in retries.due(Instant::now()) {
            world.look_at(namespace);
        }
        metrics.is_ready.store(world.is_known(), Ordering::Relaxed);
        has_more = false;
        if world.is_known() && *is_leader.borrow() {
            let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            let todo = world.decide(&settings, &metrics, &now);
            let looked_at = todo.keys().cloned().collect();
            let failed = perform(todo, &mut world, &writer, &is_leader).await;
            retries.note(&looked_at, &failed, Instant::now());
            world.done(&failed);
            has_more = world.has_more();
        }
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

/// Does it, and names the namespaces where something failed. What is to be done for one function is done in its order, as
/// far as it succeeds: a status must not say what an EnvoyFilter doesn't. Who leads no more leaves the rest to the other one.
async fn perform(
    todo: BTreeMap<String, Vec<Vec<Action>>>,
    world: &mut World,
    writer: &Writer,
    is_leader: &watch::Receiver<bool>,
) -> BTreeSet<String> {
    let each = todo
        .into_iter()
        .flat_map(|(namespace, all)| all.into_iter().map(move |actions| (namespace.clone(), actions)));
    let tasks = each.map(|(namespace, actions)| async move {
        let mut done = Vec::new();
        for action in actions {
            match writer.perform(action).await {
                Ok(one) => done.push(one),
                Err(error) => return (namespace, done, Some(error)),
            }
        }
        (namespace, done, None)
    });
    let tasks = tasks.take_while(|_| *is_leader.borrow());
    let mut tasks = futures::stream::iter(tasks).buffer_unordered(WRITES_AT_ONCE);
    let mut failed = BTreeSet::new();
    while let Some((namespace, done, error)) = tasks.next().await {
        done.into_iter().for_each(|done| done.remember(&mut world.memory));
        if let Some(error) = error {
            tracing::warn!(namespace, %error, "tried again in a moment");
            failed.insert(namespace);
        }
    }
    failed
}
