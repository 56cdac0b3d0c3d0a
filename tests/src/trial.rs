//! One run: replicas, a proxy in front of them, a load, faults in its course, and what came of it.

mod bed;
mod fault;
mod report;
mod scenario;
mod turns;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bed::Bed;
pub use fault::{Act, Event, Fault, Target};
pub use report::Report;
pub use scenario::Scenario;
pub use turns::{Show, Turn, print_json, take_turns};

use crate::fib::Options;
use crate::load::{Arrivals, Aside, Load, Progress};
use crate::machine::used_by_others;
use crate::proxy::{Choice, Proxy, Setting};
use crate::record::{Seen, milliseconds, well_after};

/// What is run.
#[derive(Debug, Clone)]
pub struct Trial {
    /// How reports call it: the faults, or `none`.
    pub name: String,
    /// The proxy in front of the replicas.
    pub proxy: Choice,
    /// What the replicas are like.
    pub function: Options,
    /// What happens to the replicas, in its order.
    pub events: Vec<Event>,
    /// The moment from which clients are watched closely: that of the first fault, or where it would be.
    pub moment: Duration,
    /// Over what time from then on latencies are taken.
    pub window: Duration,
    /// When the faults end by themselves, if they do.
    pub ends_at: Option<Duration>,
    /// Requests a second.
    pub rate: f64,
    /// How long the load lasts.
    pub seconds: f64,
    /// Which requests go to another path of the function.
    pub aside: Option<Aside>,
    /// When requests are due.
    pub arrivals: Arrivals,
    /// Seeds the arrivals.
    pub seed: u64,
    /// Number of replicas.
    pub replicas: u8,
    /// Number of the proxy's workers.
    pub workers: u32,
    /// Timers of Envoys are exact, not the kernel's ticks as they are by themselves.
    pub exact_timers: bool,
}

impl Trial {
    /// The benchmark's run of a scenario: 200 requests a second, evenly spread, to two replicas behind one worker.
    #[must_use]
    pub fn new(proxy: Choice, scenario: &Scenario) -> Self {
        let strike = scenario.fault.map(|fault| Event { at: scenario.at, act: Act::Strike(fault) });
        Self {
            name: scenario.name.to_owned(),
            proxy,
            function: scenario.function,
            events: strike.into_iter().collect(),
            moment: scenario.at,
            window: scenario.window,
            ends_at: scenario.ends_at(),
            rate: 200.0,
            seconds: scenario.seconds,
            aside: scenario.aside,
            arrivals: Arrivals::Constant,
            seed: 1,
            replicas: 2,
            workers: 1,
            exact_timers: true,
        }
    }

    /// Runs it. Nodes are only lost within a network namespace: see [`netns::enter`](crate::netns::enter).
    ///
    /// # Errors
    /// A process doesn't start, or a fault can't be brought about.
    pub async fn run(&self, watch: &mut dyn FnMut(Step)) -> anyhow::Result<Report> {
        let target = if matches!(self.proxy, Choice::Steadfaas(_)) { Target::Busiest } else { Target::First };
        let mut bed = Bed::start(self.replicas, self.function, target, self.loses_nodes()).await?;
        let addresses = bed.addresses();
        let (workers, exact_timers) = (self.workers, self.exact_timers);
        let setting = Setting { replicas: &addresses, workers, exact_timers };
        let proxy = Proxy::start(&self.proxy, setting).await?;
        let load = Load {
            arrivals: self.arrivals,
            seed: self.seed,
            aside: self.aside,
            ..Load::new(proxy.address(), self.rate, self.seconds)
        };
        let requests = load.count;
        let (used_before, watched) = (proxy.process().cpu_time(), Instant::now());
        let others_before = used_by_others(used_before + bed.cpu_time());
        let running = load.start().await?;
        watch(Step::Begun { requests, progress: running.progress() });
        for event in &self.events {
            let what = bed.bring_about(event, &running).await?;
            watch(Step::Happened { at: event.at, what });
        }
        let outcomes = running.finish().await;
        let used = proxy.process().cpu_time();
        let others = used_by_others(used + bed.cpu_time());
        let other_time = others.zip(others_before).map(|(now, before)| now.saturating_sub(before));
        let other_load = other_time.unwrap_or_default().as_secs_f64() / watched.elapsed().as_secs_f64();
        let (counts, at_strike) = (bed.settle().await?, bed.at_strike());
        Ok(Report {
            proxy: self.proxy.to_string(),
            fault: self.name.clone(),
            rate: self.rate,
            seconds: self.seconds,
            arrivals: self.arrivals.as_str(),
            seed: self.seed,
            replicas: self.replicas,
            workers: self.workers,
            seen: Seen::over(&outcomes, self.moment, self.window),
            attempts: counts.received,
            executions: counts.executions,
            late_runs: counts.late,
            in_flight: at_strike.in_flight,
            extra_before: at_strike.extra,
            well_after_ms: self.ends_at.map(|end| milliseconds(well_after(&outcomes, end))),
            other_load,
            cpu_us_per_request: 1_000.0 * milliseconds(used.saturating_sub(used_before))
                / f64::from(u32::try_from(requests)?),
            moment: self.moment,
            outcomes,
        })
    }

    /// Whether it needs a network namespace: see [`netns::enter`](crate::netns::enter).
    #[must_use]
    pub fn loses_nodes(&self) -> bool {
        self.events.iter().any(|event| event.act == Act::Strike(Fault::LostNode))
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
