//! One run: replicas, a proxy in front of them, a load, faults in its course, and what came of it.

mod bed;
mod fault;
mod report;

use std::sync::Arc;
use std::time::Duration;

use bed::Bed;
pub use fault::{Act, Event, Fault};
pub use report::Report;

use crate::load::{Arrivals, Load, Progress};
use crate::proxy::{Choice, Proxy, Setting};
use crate::record::{Seen, milliseconds};

/// What is run.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The proxy in front of the replicas.
    pub proxy: Choice,
    /// What happens to the replicas, in its order.
    pub events: Vec<Event>,
    /// The moment from which clients are watched closely: that of the first fault, or where it would be.
    pub moment: Duration,
    /// Requests a second.
    pub rate: f64,
    /// How long the load lasts.
    pub seconds: f64,
    /// When requests are due.
    pub arrivals: Arrivals,
    /// Seeds the arrivals.
    pub seed: u64,
    /// Number of replicas.
    pub replicas: u8,
    /// Number of the proxy's workers.
    pub workers: u32,
}

/// When the fault of a benchmark strikes: long enough after the start for the proxy to know its replicas.
pub const FAULT_AT: Duration = Duration::from_secs(8);

impl Trial {
    /// The benchmark's run: 200 requests a second for 20 s, evenly spread, to two replicas behind one worker, and the
    /// fault, if any, after 8 s.
    #[must_use]
    pub fn new(proxy: Choice, fault: Option<Fault>) -> Self {
        let strike = fault.map(|fault| Event { at: FAULT_AT, act: Act::Strike(fault) });
        Self {
            proxy,
            events: strike.into_iter().collect(),
            moment: FAULT_AT,
            rate: 200.0,
            seconds: 20.0,
            arrivals: Arrivals::Constant,
            seed: 1,
            replicas: 2,
            workers: 1,
        }
    }

    /// Runs it. Nodes are only lost within a network namespace: see [`netns::enter`](crate::netns::enter).
    ///
    /// # Errors
    /// A process doesn't start, or a fault can't be brought about.
    pub async fn run(&self, watch: &mut dyn FnMut(Step)) -> anyhow::Result<Report> {
        let mut bed = Bed::start(self.replicas, self.loses_nodes()).await?;
        let addresses = bed.addresses();
        let proxy =
            Proxy::start(&self.proxy, Setting { replicas: &addresses, workers: self.workers }).await?;
        let load = Load {
            arrivals: self.arrivals,
            seed: self.seed,
            ..Load::new(proxy.address(), self.rate, self.seconds)
        };
        let requests = load.count;
        let used_before = proxy.process().cpu_time();
        let running = load.start().await?;
        watch(Step::Begun { requests, progress: running.progress() });
        for event in &self.events {
            let what = bed.bring_about(event, &running).await?;
            watch(Step::Happened { at: event.at, what });
        }
        let outcomes = running.finish().await;
        let used = proxy.process().cpu_time().saturating_sub(used_before);
        let counts = bed.settle().await?;
        Ok(Report {
            proxy: self.proxy.to_string(),
            fault: self.fault_name(),
            rate: self.rate,
            seconds: self.seconds,
            arrivals: self.arrivals.as_str(),
            seed: self.seed,
            replicas: self.replicas,
            workers: self.workers,
            seen: Seen::of(&outcomes, self.moment),
            attempts: counts.received,
            executions: counts.executions,
            late_runs: counts.late,
            cpu_us_per_request: 1_000.0 * milliseconds(used) / f64::from(u32::try_from(requests)?),
        })
    }

    fn loses_nodes(&self) -> bool {
        self.events.iter().any(|event| event.act == Act::Strike(Fault::LostNode))
    }

    /// The faults that strike, in their order, or `none`.
    #[must_use]
    pub fn fault_name(&self) -> String {
        let strikes = self.events.iter().filter_map(|event| match event.act {
            Act::Strike(fault) => Some(fault.as_str()),
            Act::Undo => None,
        });
        let names: Vec<_> = strikes.collect();
        if names.is_empty() { "none".to_owned() } else { names.join("+") }
    }
}

/// How far a run has come, for whoever shows it.
#[derive(Debug)]
pub enum Step {
    /// The load begins.
    Begun {
        /// How many requests it has.
        requests: usize,
        /// What it has done so far; goes on counting.
        progress: Arc<Progress>,
    },
    /// Something happened to a replica.
    Happened {
        /// When, from the start of the load.
        at: Duration,
        /// What, in words.
        what: String,
    },
}
