//! A worker's memory: its functions, its clock, the proxy's bell.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use steadfaas_core::configuration::Configuration;
use steadfaas_core::directory::Directory;
use steadfaas_core::envoy::property;
use steadfaas_core::ticks::{TICK, TICK_SOON, Ticks};
use steadfaas_core::time::Millis;
use steadfaas_host as host;

use crate::function::Function;
use crate::poll::Polls;
use crate::sharing::Bell;

/// Ticks between two looks at each function's policy: a changed annotation is followed within half a second, and
/// reading it costs one request in a hundred a property at 200 requests a second.
const TICKS_PER_POLICY: u64 = 5;

/// A function without requests for this long is forgotten, so that deleted ones don't pile up.
const FORGET_AFTER: Duration = Duration::from_secs(600);

/// One worker's memory.
pub(crate) struct Worker {
    configuration: RefCell<Rc<Configuration>>,
    pub(crate) bell: Bell,
    pub(crate) polls: Polls,
    pub(crate) ticks: RefCell<Ticks>,
    functions: RefCell<Directory<Function>>,
}

impl Worker {
    pub(crate) fn new(root: u32, configuration: Configuration) -> Self {
        Self {
            configuration: RefCell::new(Rc::new(configuration)),
            bell: Bell::new(),
            polls: Polls::default(),
            ticks: RefCell::new(Ticks::new(root, host::now())),
            functions: RefCell::default(),
        }
    }

    /// Takes over the configuration of a newer root context.
    pub(crate) fn reconfigure(&self, root: u32, configuration: Configuration) {
        let configuration = configuration.beside(&self.configuration());
        *self.configuration.borrow_mut() = Rc::new(configuration);
        self.ticks.borrow_mut().are_of(root);
    }

    /// The newest configuration, as far as the older ones allow.
    pub(crate) fn configuration(&self) -> Rc<Configuration> {
        self.configuration.borrow().clone()
    }

    /// The function that the current request goes to; nothing if it goes to no cluster (a redirect, a direct answer).
    /// `authority`: where that says it, and not only the proxy.
    pub(crate) fn function_of_request(&self, authority: Option<&[u8]>) -> Option<Rc<Function>> {
        let known = authority.and_then(|authority| self.functions.borrow().at_host(authority));
        let function = known.map_or_else(|| self.function_of_cluster(authority), Some)?;
        function.last_request.set(self.ticks.borrow().now());
        self.watch_timers();
        Some(function)
    }

    fn function_of_cluster(&self, authority: Option<&[u8]>) -> Option<Rc<Function>> {
        let cluster = host::text_property(property::CLUSTER_NAME)?;
        let known = self.functions.borrow().of_cluster(&cluster);
        let function = known.unwrap_or_else(|| self.get_to_know(&cluster));
        if let Some(host) = authority {
            self.functions.borrow_mut().add_host(host, &function);
        }
        Some(function)
    }

    /// The function behind `cluster`, of which nothing is known yet.
    fn get_to_know(&self, cluster: &str) -> Rc<Function> {
        let function = Rc::new(Function::new(cluster));
        self.functions.borrow_mut().add(cluster, function.clone());
        if self.ticks.borrow_mut().hurry() {
            host::set_tick_period(TICK_SOON);
        }
        function
    }

    /// A number that changes when policies are to be read again; never 0, which a function has that hasn't read its own yet.
    pub(crate) fn policy_epoch(&self) -> u64 {
        1 + self.ticks.borrow().count() / TICKS_PER_POLICY
    }

    fn watch_timers(&self) {
        let mut ticks = self.ticks.borrow_mut();
        if ticks.are_unwatched() {
            host::set_tick_period(TICK);
            ticks.watch(host::clock());
        }
    }

    /// Time has gone by, says the root context `root`.
    pub(crate) fn tick(&self, root: u32) {
        let clock = host::clock();
        let tick = self.ticks.borrow_mut().came(root, clock);
        if tick.ask {
            host::set_tick_period(TICK);
        }
        if tick.counts {
            self.go_on(clock.millis());
        }
    }

    /// Hands counts over, asks for replicas that nobody has asked for lately, forgets.
    fn go_on(&self, now: Millis) {
        let functions = self.functions.borrow().all();
        let early = self.ticks.borrow().early();
        for function in &functions {
            if let Some(metrics) = function.last_protection().metrics() {
                metrics.flush();
            }
            function.look_back(&self.bell, early, now);
        }
        self.polls.ask(self, &functions, now);
        self.functions.borrow_mut().keep(|function| now.since(function.last_request.get()) < FORGET_AFTER);
    }
}
