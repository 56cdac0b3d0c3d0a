//! An open-loop load: each request has its moment, whatever became of the ones before, and is timed from that moment.

mod arrivals;
mod connection;
mod pool;
mod progress;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use hyper::{HeaderMap, Method};
use tokio::sync::mpsc;

pub use arrivals::{Arrivals, BURST_PERIOD};
use connection::{Ended, Order};
use pool::Pool;
pub use progress::{Progress, Refusal};

use crate::record::{Got, Outcome};

/// How long a client waits for its answer: what the numbers of this project are defined with.
pub const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Most requests that one load may send: no test or benchmark here needs more.
const MAX_REQUESTS: usize = 1_000_000;

/// Every so many-th request goes to another path of the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aside {
    /// That path, with its query.
    pub path: &'static str,
    /// Which requests: one of every so many, another one with each seed. Whether it is just one of those that a fault
    /// strikes is chance, and must not be the same chance in each run.
    pub every: usize,
}

impl Aside {
    /// Whether it is the path of this request, in the run with this seed.
    #[must_use]
    pub fn takes(&self, index: usize, seed: u64) -> bool {
        (index as u64).wrapping_add(seed).is_multiple_of((self.every as u64).max(1))
    }
}

/// What is sent, how often, and for how long.
#[derive(Debug, Clone)]
pub struct Load {
    /// Who is asked: a proxy, or a replica itself.
    pub target: SocketAddr,
    /// The `host` header; none: the target's address.
    pub host: Option<String>,
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Some of the requests may go elsewhere.
    pub aside: Option<Aside>,
    /// More headers, the same on each request. `x-request-id` is added by the load.
    pub headers: HeaderMap,
    /// The body, the same in each request.
    pub body: Bytes,
    /// Requests a second.
    pub rate: f64,
    /// How many requests in all.
    pub count: usize,
    /// When within their seconds they are due.
    pub arrivals: Arrivals,
    /// Seeds whatever the arrivals draw, and which requests go aside.
    pub seed: u64,
    /// How long each may take.
    pub timeout: Duration,
    /// Request i carries `x-request-id: <prefix>-<i>`.
    pub id_prefix: String,
    /// Whether it carries the same as its `Idempotency-Key`.
    pub keyed: bool,
}

impl Load {
    /// GETs of `/?n=15` to `target`, evenly spread: `rate` a second for `seconds`.
    #[must_use]
    pub fn new(target: SocketAddr, rate: f64, seconds: f64) -> Self {
        Self {
            target,
            host: None,
            method: Method::GET,
            path: "/?n=15".to_owned(),
            aside: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            rate,
            count: whole(rate * seconds),
            arrivals: Arrivals::Constant,
            seed: 1,
            timeout: CLIENT_TIMEOUT,
            id_prefix: "request".to_owned(),
            keyed: false,
        }
    }

    /// Opens the connections that the load will probably need, so that none of its requests waits for the first ones,
    /// and begins to send. The load goes on by itself until it is [`finished`](Running::finish).
    ///
    /// # Errors
    /// The target can't be connected to, or the load is out of bounds.
    pub async fn start(self) -> anyhow::Result<Running> {
        anyhow::ensure!(self.rate > 0.0 && self.rate.is_finite(), "a load's rate must be above 0");
        anyhow::ensure!((1..=MAX_REQUESTS).contains(&self.count), "a load has 1 to {MAX_REQUESTS} requests");
        let offsets = self.arrivals.offsets(self.rate, self.count, self.seed);
        let pool = Arc::new(Pool::new(self.target));
        pool.warm_up(connections_for(self.rate)).await.context("the load's connections can't be opened")?;
        let order = Arc::new(Order::of(&self)?);
        let progress = Arc::new(Progress::default());
        let (sender, receiver) = mpsc::unbounded_channel();
        let started = Instant::now() + LEAD;
        let lasts = offsets.last().copied().unwrap_or_default();
        let runtime = tokio::runtime::Handle::current();
        let count = self.count;
        let each = Each { order, pool, sender, progress: Arc::clone(&progress), timeout: self.timeout };
        std::thread::Builder::new()
            .name("load".to_owned())
            .spawn(move || pace(&runtime, &each, started, &offsets))
            .context("the load's thread can't be started")?;
        Ok(Running { started, lasts, count, progress, receiver })
    }

    /// Sends all of it and waits for what each request got.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn run(self) -> anyhow::Result<Vec<Outcome>> {
        Ok(self.start().await?.finish().await)
    }
}

/// Between the start of a load and its first request: time to get the pacing thread going.
const LEAD: Duration = Duration::from_millis(20);

/// Connections to open beforehand: what is in flight when each request takes 40 ms, several times what a function of
/// 10 ms needs, and a few more.
fn connections_for(rate: f64) -> usize {
    whole(rate * 0.04) + 4
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of requests, far below 2^53"
)]
fn whole(number: f64) -> usize {
    number.round() as usize
}

/// A load that is under way.
#[derive(Debug)]
pub struct Running {
    started: Instant,
    lasts: Duration,
    count: usize,
    progress: Arc<Progress>,
    receiver: mpsc::UnboundedReceiver<Outcome>,
}

impl Running {
    /// When its first request is due.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// When its last request is due, from its start.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.lasts
    }

    /// Half the time between two of its requests, on average.
    #[must_use]
    pub fn half_a_gap(&self) -> Duration {
        self.lasts / u32::try_from(self.count).unwrap_or(u32::MAX).max(1) / 2
    }

    /// What it has done so far.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Waits until the load is `offset` old: the moment of a fault.
    pub async fn reach(&self, offset: Duration) {
        /// Timers of an async runtime are a millisecond coarse and late, which is a part of what a fault costs: so much
        /// before the moment a thread takes over.
        const COARSE: Duration = Duration::from_millis(3);
        let moment = self.started + offset;
        tokio::time::sleep_until(moment.checked_sub(COARSE).unwrap_or(moment).into()).await;
        let rest = move || std::thread::sleep(moment.saturating_duration_since(Instant::now()));
        // Only its runtime's end could keep it from running, and then nobody waits any more.
        let _ = tokio::task::spawn_blocking(rest).await;
    }

    /// What each request got, in the order in which they were due.
    pub async fn finish(mut self) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(self.count);
        while let Some(outcome) = self.receiver.recv().await {
            outcomes.push(outcome);
        }
        outcomes.sort_unstable_by_key(|outcome| outcome.index);
        outcomes
    }
}

/// What all requests of a load share.
#[derive(Clone)]
struct Each {
    order: Arc<Order>,
    pool: Arc<Pool>,
    sender: mpsc::UnboundedSender<Outcome>,
    progress: Arc<Progress>,
    timeout: Duration,
}

impl Each {
    /// One request, from its moment to its outcome.
    async fn one(&self, index: usize, offset: Duration, due: Instant) {
        let deadline = tokio::time::Instant::from_std(due + self.timeout);
        let answer = tokio::time::timeout_at(deadline, self.pool.send(&self.order, index)).await;
        let (Ended { got, refused }, connection) = answer.unwrap_or((Got::Timeout.into(), None));
        self.progress.count(got);
        refused.into_iter().for_each(|said| self.progress.keep(Refusal { request: index, said }));
        // Nobody collects any more when the load was dropped: then nothing is to be told.
        let aside = self.order.is_aside(index);
        let _ = self.sender.send(Outcome { index, due: offset, latency: due.elapsed(), got, aside });
        if let Some(connection) = connection {
            self.pool.give_back(connection).await;
        }
    }
}

/// Lets each request go at its moment. A thread of its own, as timers of an async runtime are a millisecond coarse.
fn pace(runtime: &tokio::runtime::Handle, each: &Each, started: Instant, offsets: &[Duration]) {
    for (index, offset) in offsets.iter().enumerate() {
        let due = started + *offset;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let (each, offset) = (each.clone(), *offset);
        each.progress.count_sent();
        runtime.spawn(async move { each.one(index, offset, due).await });
    }
}

#[cfg(test)]
mod tests;
