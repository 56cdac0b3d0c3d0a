//! Asking the admin endpoint for replicas: one worker at a time for each function, all due functions in one call.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use steadfaas_core::admin::{ClusterHosts, read_clusters};
use steadfaas_core::policy::Policy;
use steadfaas_core::time::Millis;
use steadfaas_core::view::Roles;

use crate::function::{Function, Protection};
use crate::host;
use crate::sharing::Lease;
use crate::worker::Worker;

/// How old the view gets while all is quiet. A replica that is new can wait a second; one that is gone costs nothing,
/// for an address that the cluster doesn't know is skipped.
const QUIET: Duration = Duration::from_secs(1);

/// How old it gets while some replica is suspected, out or not known at all.
const UNEASY: Duration = Duration::from_millis(100);

/// The admin endpoint answers in under a millisecond, or in 0.1 s where it has thousands of clusters and can't filter.
const TIMEOUT: Duration = Duration::from_secs(1);

/// A function is asked for as long as its last request is younger than this: three quiet intervals.
const TRAFFIC_WITHIN: Duration = Duration::from_secs(3);

/// Longest filter expression of one call, in characters; well within Envoy's 60 KiB of request headers.
const LONGEST_FILTER: usize = 16 * 1024;

/// The calls that are under way, by token.
#[derive(Default)]
pub(crate) struct Polls {
    waiting: RefCell<Vec<(u32, Vec<Rc<Function>>)>>,
}

impl Polls {
    /// Asks for the replicas of those `functions` that are due and that no other worker asks for.
    pub(crate) fn ask(&self, worker: &Worker, functions: &[Rc<Function>], now: Millis) {
        let mut batch = Batch::default();
        for function in functions.iter().filter(|function| is_due(function, now)) {
            if !take_lease(function, now) {
                continue;
            }
            if batch.filter.len() > LONGEST_FILTER {
                self.send(worker, std::mem::take(&mut batch));
            }
            batch.add(function);
        }
        self.send(worker, batch);
    }

    fn send(&self, worker: &Worker, batch: Batch) {
        if batch.functions.is_empty() {
            return;
        }
        // The filter works from Envoy 1.38 on; older ones answer with every cluster, which is read all the same.
        let path = format!("/clusters?format=json&filter=^({})$", batch.filter);
        let cluster = &worker.configuration.admin_cluster;
        match host::get(cluster, &path, TIMEOUT) {
            Some(token) => self.waiting.borrow_mut().push((token, batch.functions)),
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

/// Functions to ask for in one call.
#[derive(Default)]
struct Batch {
    functions: Vec<Rc<Function>>,
    filter: String,
}

impl Batch {
    fn add(&mut self, function: &Rc<Function>) {
        if !self.filter.is_empty() {
            self.filter.push('|');
        }
        push_literal(&mut self.filter, &function.cluster);
        self.functions.push(function.clone());
    }
}

/// Writes `text` so that a regular expression within a query string means just it: every byte that could mean more
/// becomes `\xNN`, its backslash percent-encoded.
fn push_literal(filter: &mut String, text: &str) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |number: u8| DIGITS.get(usize::from(number)).copied().unwrap_or('0');
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            filter.push(char::from(byte));
        } else {
            filter.push_str("%5Cx");
            filter.push(digit(byte >> 4));
            filter.push(digit(byte & 0xf));
        }
    }
}

fn is_due(function: &Function, now: Millis) -> bool {
    function.next_poll.get() <= now
        && now.since(function.last_request.get()) < TRAFFIC_WITHIN
        && matches!(function.last_protection(), Protection::Active(..))
}

/// Takes the lease for as long as the call may take; a lost answer is asked for again then.
fn take_lease(function: &Function, now: Millis) -> bool {
    match Lease::take(&function.cluster, now, UNEASY) {
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
    let Protection::Active(policy, _) = function.last_protection() else { return };
    let policy: &Policy = &policy;
    let now = host::now();
    function.change_view(&worker.bell, &mut |view| view.observe(&cluster.hosts, &Roles::of(policy), now));
    let view = function.sight(&worker.bell).view;
    let span = if view.replicas.is_empty() || view.is_uneasy() { UNEASY } else { QUIET };
    function.next_poll.set(Lease::renew(&function.cluster, now, span));
}
