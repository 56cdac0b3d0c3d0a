//! A scenario: a function, its load, its replicas, and what happens to them.

use crate::load::{Arrivals, SECOND, Service, Time};
use crate::replica::Manners;

/// Something that is done to replicas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Act {
    /// The process ends: connections are reset, the port refuses.
    Kill(Whom),
    /// It is started again.
    Restart(Whom),
    /// The process stops: what is sent to it waits.
    Freeze(Whom),
    /// It goes on.
    Thaw(Whom),
    /// The node is gone: nothing comes back.
    Lose(Whom),
    /// It answers with other manners from now on.
    Behave(Whom, Manners),
}

/// Which replica something is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// The one that got most requests in the second before the first fault; the same one ever after.
    Busiest,
    /// All of them.
    All,
}

/// A scenario. One request in five may be of a slower kind, on a path of its own.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// How long the function takes.
    pub service: Service,
    /// How long it takes on its slow path, which one request in five goes to.
    pub slow_path: Option<Service>,
    /// How many requests a replica works on at once.
    pub concurrency: usize,
    /// How many replicas there are.
    pub replicas: usize,
    /// How many proxies lead requests to them, each with its own view.
    pub proxies: usize,
    /// How many workers each of them has.
    pub workers: usize,
    /// Requests a second, over all proxies.
    pub rate: f64,
    /// When they come.
    pub arrivals: Arrivals,
    /// How long they come.
    pub lasts: Time,
    /// When the fault strikes; where there is none, from when clients are watched.
    pub at: Time,
    /// Over what time from then on latencies are taken.
    pub window: Time,
    /// What happens, and when.
    pub acts: Vec<(Time, Act)>,
    /// The function's annotations.
    pub settings: Vec<(&'static str, String)>,
    /// The share of the requests that may run twice.
    pub repeatable: f64,
    /// The seed of all chance in it.
    pub seed: u64,
}

impl Default for Scenario {
    /// The usual load of the benchmark: two replicas of a function of 10 ms, 200 requests a second, one worker.
    fn default() -> Self {
        Self {
            name: String::new(),
            service: Service::Constant(10.0),
            slow_path: None,
            concurrency: usize::MAX,
            replicas: 2,
            proxies: 1,
            workers: 1,
            rate: 200.0,
            arrivals: Arrivals::Constant,
            lasts: 20 * SECOND,
            at: 8 * SECOND,
            window: 5 * SECOND,
            acts: Vec::new(),
            settings: vec![("strategy", "active-standby".to_owned())],
            repeatable: 1.0,
            seed: 1,
        }
    }
}

impl Scenario {
    /// One with this name and one fault, at the usual moment.
    #[must_use]
    pub fn of(name: &str, act: Act) -> Self {
        let usual = Self::default();
        Self { name: name.to_owned(), acts: vec![(usual.at, act)], ..usual }
    }

    /// The same, by another strategy.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: &str) -> Self {
        self.settings.retain(|(known, _)| *known != key);
        self.settings.push((key, value.to_owned()));
        self
    }
}
