//! A function as one worker remembers it: its policy, its view, the worker's own lanes to its replicas.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use steadfaas_core::envoy::property;
use steadfaas_core::gray;
use steadfaas_core::memory::{Memory, TELL_EVERY};
use steadfaas_core::outcome::{CloserLooks, Lessons};
use steadfaas_core::policy::{Policy, PolicyError, WrittenPolicy};
use steadfaas_core::sight::Sight;
use steadfaas_core::time::Millis;
use steadfaas_core::view::{Roles, View};
use steadfaas_host as host;

use crate::metrics::FunctionMetrics;
use crate::sharing::{self, Bell, Change};

/// One function (one Envoy cluster) in one worker.
pub(crate) struct Function {
    /// The name of its Envoy cluster.
    pub(crate) cluster: String,
    /// When a request for it last came, by the tick's clock.
    pub(crate) last_request: Cell<Millis>,
    /// Which of its requests are looked at closely.
    pub(crate) closer_looks: CloserLooks,
    /// When this worker next looks whether somebody has to ask for its replicas.
    pub(crate) next_poll: Cell<Millis>,
    protection: RefCell<Protection>,
    policy_epoch: Cell<u64>,
    sight: RefCell<Sight>,
    rings: Cell<u64>,
    rings_heard: Cell<Millis>,
    turn: Cell<usize>,
    next_word: Cell<Millis>,
}

/// What the policy in the cluster's metadata makes of requests.
#[derive(Clone)]
pub(crate) enum Protection {
    /// No policy: the filter leaves the function alone.
    None,
    /// A policy that can't be followed.
    Refused(&'static str, Rc<FunctionMetrics>),
    /// A policy that is followed.
    Active(Rc<Guard>),
}

impl Protection {
    /// The metrics of the function, where it has a policy.
    pub(crate) fn metrics(&self) -> Option<&Rc<FunctionMetrics>> {
        match self {
            Self::None => None,
            Self::Refused(_, metrics) => Some(metrics),
            Self::Active(guard) => Some(&guard.metrics),
        }
    }
}

/// A policy, and what this worker remembers of requests that came under it.
pub(crate) struct Guard {
    pub(crate) policy: Policy,
    pub(crate) metrics: Rc<FunctionMetrics>,
    pub(crate) memory: RefCell<Memory>,
}

impl Function {
    pub(crate) fn new(cluster: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            last_request: Cell::default(),
            closer_looks: CloserLooks::default(),
            next_poll: Cell::default(),
            protection: RefCell::new(Protection::None),
            policy_epoch: Cell::default(),
            sight: RefCell::default(),
            rings: Cell::default(),
            rings_heard: Cell::default(),
            turn: Cell::default(),
            next_word: Cell::default(),
        }
    }

    /// How the function is protected. The policy is read again, within one of its requests, once every `epoch`.
    pub(crate) fn protection(&self, epoch: u64) -> Protection {
        if self.policy_epoch.replace(epoch) != epoch {
            self.read_policy();
        }
        self.protection.borrow().clone()
    }

    /// How the function was protected when its last request came.
    pub(crate) fn last_protection(&self) -> Protection {
        self.protection.borrow().clone()
    }

    fn read_policy(&self) {
        let text = host::property(property::POLICY);
        let compiled =
            text.map(|text| WrittenPolicy::from_json(&text).and_then(|written| Policy::compile(&written)));
        let mut protection = self.protection.borrow_mut();
        *protection = match compiled {
            None => Protection::None,
            Some(Ok(policy)) => match &*protection {
                Protection::Active(known) if known.policy == policy => return,
                known => {
                    let metrics = metrics_for(&policy.function, known);
                    let mut memory = Memory::new(&policy);
                    memory.hear(&sharing::heard_pace(&self.cluster));
                    Protection::Active(Rc::new(Guard { policy, metrics, memory: RefCell::new(memory) }))
                }
            },
            Some(Err(error)) => self.refused(&error, &protection),
        };
    }

    fn refused(&self, error: &PolicyError, known: &Protection) -> Protection {
        if !matches!(known, Protection::Refused(reason, _) if *reason == error.reason()) {
            log::warn!("cluster {}: {error}; its requests pass unprotected", self.cluster);
        }
        Protection::Refused(error.reason(), metrics_for(&self.cluster, known))
    }

    /// The replicas as all workers see them now. Whether another worker has changed them is asked once a millisecond.
    pub(crate) fn sight(&self, bell: &Bell, now: Millis) -> Sight {
        if self.rings_heard.replace(now) != now {
            let rings = bell.rings();
            if self.rings.replace(rings) != rings {
                self.look_at(sharing::view(&self.cluster));
            }
        }
        self.sight.borrow().clone()
    }

    /// As far as this worker knows by now, none of the replicas in `sight` is well any more.
    pub(crate) fn has_lost_all_since(&self, sight: &Sight) -> bool {
        self.sight.borrow().view.has_lost_all_since(&sight.view)
    }

    /// Takes over a view; lanes to replicas that are still there stay.
    pub(crate) fn look_at(&self, view: View) {
        let mut sight = self.sight.borrow_mut();
        if *sight.view == view {
            return;
        }
        if let Some(metrics) = self.protection.borrow().metrics() {
            metrics.show(&view);
        }
        *sight = sight.followed_by(view);
    }

    /// Changes the view for all workers; says whether that happened.
    pub(crate) fn change_view(&self, bell: &Bell, change: Change<'_>) -> bool {
        let changed = sharing::change_view(bell, &self.cluster, change);
        let happened = changed.is_some();
        if let Some(view) = changed {
            self.look_at(view);
        }
        happened
    }

    /// Lets all workers act on what a request that was planned with `sight` has taught. Gives how many replicas that
    /// set aside.
    pub(crate) fn apply(&self, bell: &Bell, policy: &Policy, sight: &Sight, lessons: &Lessons) -> u64 {
        if lessons.say_nothing_of_replicas() {
            return 0;
        }
        let (roles, now, mut set_aside) = (Roles::of(policy), host::now(), 0);
        let happened = self.change_view(bell, &mut |view| {
            let learned = view.take_in(&sight.view, lessons, &roles, now);
            set_aside = learned.set_aside;
            learned.changed
        });
        if !happened {
            return 0;
        }
        sharing::change_lease(&self.cluster, |lease| lease.given_up(now));
        self.next_poll.set(now);
        set_aside
    }

    /// Looks back on the time since the last tick, if it had requests lately: makes room in the budget, sets a replica
    /// aside that is much slower than its peers, tells the other workers what it has learned or listens to them. Timers
    /// are known to go off so `early`.
    pub(crate) fn look_back(&self, bell: &Bell, early: Duration, now: Millis) {
        if now.since(self.last_request.get()) > TELL_EVERY {
            return;
        }
        let Protection::Active(guard) = self.last_protection() else { return };
        guard.memory.borrow_mut().settle(early);
        let sight = self.sight.borrow().clone();
        if let Some(place) = gray::much_slower(&sight.view, &sight.lanes) {
            self.set_aside(bell, &guard, &sight, place);
        }
        if self.next_word.get() <= now {
            self.next_word.set(now.after(TELL_EVERY));
            self.talk(&mut guard.memory.borrow_mut());
        }
    }

    fn talk(&self, memory: &mut Memory) {
        if let Some(pace) = memory.tell() {
            sharing::tell_pace(&self.cluster, &pace);
        }
        if memory.is_curious() {
            memory.hear(&sharing::heard_pace(&self.cluster));
        }
    }

    /// Sets the replica at `place` of `sight` aside, for all workers.
    pub(crate) fn set_aside(&self, bell: &Bell, guard: &Guard, sight: &Sight, place: usize) {
        let set_aside = self.apply(bell, &guard.policy, sight, &Lessons::of_silence(place));
        guard.metrics.suspected(set_aside);
    }

    /// A number that moves on with each request.
    pub(crate) fn next_turn(&self) -> usize {
        self.turn.replace(self.turn.get().wrapping_add(1))
    }
}

/// The metrics that `known` already has, if they are this function's.
fn metrics_for(function: &str, known: &Protection) -> Rc<FunctionMetrics> {
    match known.metrics() {
        Some(metrics) if metrics.is_of(function) => metrics.clone(),
        _ => Rc::new(FunctionMetrics::new(function)),
    }
}
