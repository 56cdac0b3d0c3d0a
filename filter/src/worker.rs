//! A worker's memory: its functions, its clock, the proxy's bell.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use steadfaas_core::configuration::Configuration;
use steadfaas_core::envoy::property;
use steadfaas_core::time::{Micros, Millis};
use steadfaas_core::timer::Timers;
use steadfaas_host as host;

use crate::function::Function;
use crate::poll::Polls;
use crate::sharing::Bell;

/// Time between two ticks: counts are handed over, checks fall due and the view's age is looked at this often.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// A tick asked for because something shouldn't wait for the next one. The shortest that a timer knows.
const TICK_SOON: Duration = Duration::from_millis(1);

/// Ticks between two looks at each function's policy: a changed annotation is followed within half a second, and
/// reading it costs one request in a hundred a property at 200 requests a second.
const TICKS_PER_POLICY: u64 = 5;

/// A function without requests for this long is forgotten, so that deleted ones don't pile up.
const FORGET_AFTER: Duration = Duration::from_secs(600);

/// Authorities that are remembered at most, until some function is forgotten: with a host for each of ten thousand
/// functions, and their ports. Clients choose them, and each takes a hundred bytes.
const MOST_HOSTS: usize = 20_000;

/// The longest authority that is remembered: a name of the DNS (253 bytes), a colon and a port.
const LONGEST_HOST: usize = 259;

/// One worker's memory.
pub(crate) struct Worker {
    configuration: RefCell<Rc<Configuration>>,
    pub(crate) bell: Bell,
    pub(crate) polls: Polls,
    /// The time of the last tick: fine enough where a host call for the time would be too dear.
    pub(crate) now: Cell<Millis>,
    ticks: Cell<u64>,
    soon: Cell<bool>,
    pub(crate) timers: RefCell<Timers>,
    /// When the next tick was asked for, if a request has done so.
    asked: Cell<Option<Micros>>,
    /// The root context whose ticks count: the newest, or another one where that has fallen silent.
    ticker: Cell<u32>,
    /// By their cluster's name: among ten thousand in order each request would compare fourteen.
    functions: RefCell<HashMap<String, Rc<Function>>>,
    /// By authorities that requests had for them, where these say which function is meant.
    hosts: RefCell<HashMap<String, Rc<Function>>>,
}

impl Worker {
    pub(crate) fn new(root: u32, configuration: Configuration) -> Self {
        Self {
            configuration: RefCell::new(Rc::new(configuration)),
            bell: Bell::new(),
            polls: Polls::default(),
            now: Cell::new(host::now()),
            ticks: Cell::new(TICKS_PER_POLICY),
            soon: Cell::new(false),
            timers: RefCell::default(),
            asked: Cell::default(),
            ticker: Cell::new(root),
            functions: RefCell::default(),
            hosts: RefCell::default(),
        }
    }

    /// Takes over the configuration of a newer root context.
    pub(crate) fn reconfigure(&self, root: u32, configuration: Configuration) {
        let configuration = configuration.beside(&self.configuration());
        *self.configuration.borrow_mut() = Rc::new(configuration);
        self.ticker.set(root);
    }

    /// The newest configuration, as far as the older ones allow.
    pub(crate) fn configuration(&self) -> Rc<Configuration> {
        self.configuration.borrow().clone()
    }

    /// The function that the current request goes to; nothing if it goes to no cluster (a redirect, a direct answer).
    /// `authority`: where that says it, and not only the proxy.
    pub(crate) fn function_of_request(&self, authority: Option<&[u8]>) -> Option<Rc<Function>> {
        let host = authority.and_then(|authority| std::str::from_utf8(authority).ok());
        let known = host.and_then(|host| self.hosts.borrow().get(host).cloned());
        let function = known.map_or_else(|| self.function_of_cluster(host), Some)?;
        function.last_request.set(self.now.get());
        self.watch_timers();
        Some(function)
    }

    fn function_of_cluster(&self, host: Option<&str>) -> Option<Rc<Function>> {
        let cluster = host::text_property(property::CLUSTER_NAME)?;
        let known = self.functions.borrow().get(&cluster).cloned();
        let function = known.unwrap_or_else(|| self.get_to_know(cluster));
        let mut hosts = self.hosts.borrow_mut();
        if let Some(host) = host.filter(|host| host.len() <= LONGEST_HOST && hosts.len() < MOST_HOSTS) {
            hosts.insert(host.to_owned(), function.clone());
        }
        Some(function)
    }

    /// The function behind `cluster`, of which nothing is known yet.
    fn get_to_know(&self, cluster: String) -> Rc<Function> {
        let function = Rc::new(Function::new(&cluster));
        self.functions.borrow_mut().insert(cluster, function.clone());
        self.tick_soon();
        function
    }

    /// A number that changes when policies are to be read again.
    pub(crate) fn policy_epoch(&self) -> u64 {
        self.ticks.get() / TICKS_PER_POLICY
    }

    /// Asks for a tick at once.
    pub(crate) fn tick_soon(&self) {
        if !self.soon.replace(true) {
            self.asked.set(None);
            host::set_tick_period(TICK_SOON);
        }
    }

    /// Asks for the next tick anew, for the first request after each: as early as that tick comes hedges start. The ticks
    /// that the host repeats by itself are never early, for it asks for the next one when the clock has just moved on.
    fn watch_timers(&self) {
        if self.asked.get().is_none() && !self.soon.get() {
            host::set_tick_period(TICK);
            self.asked.set(Some(host::clock()));
        }
    }

    /// Time has gone by, says the root context `root`.
    pub(crate) fn tick(&self, root: u32) {
        let clock = host::clock();
        let now = clock.millis();
        let since = now.since(self.now.get());
        let soon = self.soon.replace(false);
        // Whichever root context was asked to tick soon does so as usual from now on.
        if soon || since < TICK / 2 {
            host::set_tick_period(TICK);
        }
        if since > 2 * TICK {
            self.ticker.set(root);
        }
        let is_tickers = self.ticker.get() == root;
        if let Some(asked) = self.asked.take().filter(|_| is_tickers) {
            self.timers.borrow_mut().went_off(TICK, clock.since(asked));
        }
        if soon || is_tickers {
            self.go_on(now);
        }
    }

    /// Hands counts over, asks for replicas that nobody has asked for lately, forgets.
    fn go_on(&self, now: Millis) {
        self.now.set(now);
        self.ticks.set(self.ticks.get().wrapping_add(1));
        let functions: Vec<_> = self.functions.borrow().values().cloned().collect();
        let early = self.timers.borrow().early();
        for function in &functions {
            if let Some(metrics) = function.last_protection().metrics() {
                metrics.flush();
            }
            function.look_back(&self.bell, early, now);
        }
        self.polls.ask(self, &functions, now);
        let is_known = |function: &Function| now.since(function.last_request.get()) < FORGET_AFTER;
        if !functions.iter().all(|function| is_known(function)) {
            self.functions.borrow_mut().retain(|_, function| is_known(function));
            self.hosts.borrow_mut().clear();
        }
    }
}
