//! Asking the admin endpoint for replicas: one worker at a time for each function, all due functions in one call.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use steadfaas_core::admin::{ClusterHosts, Query, read_clusters};
use steadfaas_core::lease::{self, Lease};
use steadfaas_core::time::Millis;
use steadfaas_core::view::Roles;
use steadfaas_host as host;

use crate::function::{Function, Protection};
use crate::sharing;
use crate::worker::Worker;

/// The admin endpoint answers in under a millisecond, or in seconds where it has ten thousand clusters.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A function is asked for as long as its last request is younger than this: three quiet intervals.
const TRAFFIC_WITHIN: Duration = Duration::from_secs(3);

/// The calls that are under way.
#[derive(Default)]
pub(crate) struct Polls {
    waiting: RefCell<Vec<Poll>>,
}

/// A call that is under way.
struct Poll {
    token: u32,
    asked: Vec<Rc<Function>>,
    since: Millis,
}

impl Polls {
    /// Asks for the replicas of those `functions` that are due and that no other worker asks for.
    pub(crate) fn ask(&self, worker: &Worker, functions: &[Rc<Function>], now: Millis) {
        let (mut query, mut asked) = (Query::default(), Vec::new());
        for function in functions.iter().filter(|function| is_due(function, now) && take_lease(function, now))
        {
            query.add(&function.cluster);
            asked.push(function.clone());
            if query.is_full() {
                self.send(worker, &std::mem::take(&mut query), std::mem::take(&mut asked), now);
            }
        }
        self.send(worker, &query, asked, now);
    }

    fn send(&self, worker: &Worker, query: &Query, mut asked: Vec<Rc<Function>>, since: Millis) {
        if asked.is_empty() {
            return;
        }
        // In order of their clusters, so that each is found in the answer quickly.
        asked.sort_unstable_by(|one, other| one.cluster.cmp(&other.cluster));
        let configuration = worker.configuration();
        let cluster = &configuration.admin_cluster;
        match host::get(cluster, &query.path(), TIMEOUT) {
            Some(token) => self.waiting.borrow_mut().push(Poll { token, asked, since }),
            None => log::warn!("cluster {cluster}: can't be asked for replicas; is it in the bootstrap?"),
        }
    }

    /// Takes in the answer to the call with this token.
    pub(crate) fn answered(&self, worker: &Worker, token: u32, has_headers: bool, body_size: usize) {
        let Some(Poll { asked, since, .. }) = self.take(token) else { return };
        let is_answer = has_headers && host::call_status() == Some(200);
        let known = if is_answer {
            observe_all(worker, &asked, &host::call_body(body_size).unwrap_or_default())
        } else {
            vec![false; asked.len()]
        };
        let now = host::now();
        for (function, is_known) in asked.iter().zip(known) {
            rest(worker, function, is_known, now.since(since), now);
        }
    }

    fn take(&self, token: u32) -> Option<Poll> {
        let mut waiting = self.waiting.borrow_mut();
        let place = waiting.iter().position(|poll| poll.token == token)?;
        Some(waiting.swap_remove(place))
    }
}

fn is_due(function: &Function, now: Millis) -> bool {
    function.next_poll.get() <= now
        && now.since(function.last_request.get()) < TRAFFIC_WITHIN
        && matches!(function.last_protection(), Protection::Active(..))
}

/// Takes the lease for as long as the call may take; a lost answer is asked for again then.
fn take_lease(function: &Function, now: Millis) -> bool {
    match sharing::take_lease(&function.cluster, now, TIMEOUT) {
        Ok(before) => {
            if let Some(metrics) =
                function.last_protection().metrics().filter(|_| before.last_success > Millis(0))
            {
                metrics.show_age(before.last_success, now);
            }
            function.next_poll.set(now.after(TIMEOUT));
            true
        }
        Err(until) => {
            function.next_poll.set(until);
            false
        }
    }
}

/// Takes in what the answer says of those functions, which are in order of their clusters. Tells of each whether it
/// says anything.
fn observe_all(worker: &Worker, functions: &[Rc<Function>], answer: &[u8]) -> Vec<bool> {
    let mut known = vec![false; functions.len()];
    let place_of = |name: &str| functions.binary_search_by(|known| known.cluster.as_str().cmp(name)).ok();
    match read_clusters(answer, &|name| place_of(name).is_some()) {
        Ok(clusters) => {
            for cluster in &clusters {
                let Some(place) = place_of(&cluster.name) else { continue };
                if let (Some(function), Some(is_known)) = (functions.get(place), known.get_mut(place)) {
                    observe(worker, function, cluster);
                    *is_known = true;
                }
            }
        }
        Err(error) => log::warn!("admin endpoint: /clusters is not readable: {error}"),
    }
    known
}

fn observe(worker: &Worker, function: &Function, cluster: &ClusterHosts) {
    let Protection::Active(guard) = function.last_protection() else { return };
    let (roles, now) = (Roles::of(&guard.policy), host::now());
    function.change_view(&worker.bell, &mut |view| view.observe(&cluster.hosts, &roles, now));
}

/// Lets the function alone until it is to be asked for again. `took`: how long this time took.
fn rest(worker: &Worker, function: &Function, is_known: bool, took: Duration, now: Millis) {
    let view = function.sight(&worker.bell, now).view;
    let pause = lease::pause(took, view.replicas.is_empty() || view.is_uneasy());
    sharing::change_lease(&function.cluster, |lease| {
        if is_known { Lease::renewed(now, pause) } else { lease.put_off(now, pause) }
    });
    function.next_poll.set(now.after(pause));
}
