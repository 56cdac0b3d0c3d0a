//! Asking the admin endpoint for replicas: one worker at a time for each function, all due functions in one call.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use steadfaas_core::admin::{ClusterHosts, Query, read_clusters};
use steadfaas_core::lease::{Lease, QUIET, UNEASY};
use steadfaas_core::time::Millis;
use steadfaas_core::view::Roles;
use steadfaas_host as host;

use crate::function::{Function, Protection};
use crate::sharing;
use crate::worker::Worker;

/// The admin endpoint answers in under a millisecond, or in 0.1 s where it has thousands of clusters and can't filter.
const TIMEOUT: Duration = Duration::from_secs(1);

/// A function is asked for as long as its last request is younger than this: three quiet intervals.
const TRAFFIC_WITHIN: Duration = Duration::from_secs(3);

/// The calls that are under way, by token.
#[derive(Default)]
pub(crate) struct Polls {
    waiting: RefCell<Vec<(u32, Vec<Rc<Function>>)>>,
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
                self.send(worker, &std::mem::take(&mut query), std::mem::take(&mut asked));
            }
        }
        self.send(worker, &query, asked);
    }

    fn send(&self, worker: &Worker, query: &Query, asked: Vec<Rc<Function>>) {
        if asked.is_empty() {
            return;
        }
        let configuration = worker.configuration();
        let cluster = &configuration.admin_cluster;
        match host::get(cluster, &query.path(), TIMEOUT) {
            Some(token) => self.waiting.borrow_mut().push((token, asked)),
            None => log::warn!("cluster {cluster}: can't be asked for replicas; is it in the bootstrap?"),
        }
    }

    /// Takes in the answer to the call with this token.
    pub(crate) fn answered(&self, worker: &Worker, token: u32, has_headers: bool, body_size: usize) {
        let Some(functions) = self.take(token) else { return };
        if !has_headers || host::call_status() != Some(200) {
            return;
        }
        let wanted = |name: &str| functions.iter().any(|function| function.cluster == name);
        match read_clusters(&host::call_body(body_size).unwrap_or_default(), &wanted) {
            Ok(clusters) => {
                for function in &functions {
                    if let Some(cluster) = clusters.iter().find(|cluster| cluster.name == function.cluster) {
                        observe(worker, function, cluster);
                    }
                }
            }
            Err(error) => log::warn!("admin endpoint: /clusters is not readable: {error}"),
        }
    }

    fn take(&self, token: u32) -> Option<Vec<Rc<Function>>> {
        let mut waiting = self.waiting.borrow_mut();
        let place = waiting.iter().position(|(known, _)| *known == token)?;
        Some(waiting.swap_remove(place).1)
    }
}

fn is_due(function: &Function, now: Millis) -> bool {
    function.next_poll.get() <= now
        && now.since(function.last_request.get()) < TRAFFIC_WITHIN
        && matches!(function.last_protection(), Protection::Active(..))
}

/// Takes the lease for as long as the call may take; a lost answer is asked for again then.
fn take_lease(function: &Function, now: Millis) -> bool {
    match sharing::take_lease(&function.cluster, now, UNEASY) {
        Ok(before) => {
            if let Some(metrics) =
                function.last_protection().metrics().filter(|_| before.last_success > Millis(0))
            {
                metrics.show_age(before.last_success, now);
            }
            function.next_poll.set(now.after(UNEASY));
            true
        }
        Err(until) => {
            function.next_poll.set(until);
            false
        }
    }
}

fn observe(worker: &Worker, function: &Function, cluster: &ClusterHosts) {
    let Protection::Active(guard) = function.last_protection() else { return };
    let policy = &guard.policy;
    let now = host::now();
    function.change_view(&worker.bell, &mut |view| view.observe(&cluster.hosts, &Roles::of(policy), now));
    let view = function.sight(&worker.bell).view;
    let span = if view.replicas.is_empty() || view.is_uneasy() { UNEASY } else { QUIET };
    let lease = Lease::renewed(now, span);
    sharing::change_lease(&function.cluster, |_| lease);
    function.next_poll.set(lease.until);
}
