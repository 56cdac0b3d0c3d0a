//! A function's replicas: its pods, and what the proxies make of them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::facts::{Facts, PodFact, Subject};
use crate::proxy::Report;

/// A replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replica {
    /// Its pod; none where only proxies still know it.
    pub pod: Option<String>,
    /// Its address.
    pub address: String,
    /// Its node.
    pub node: Option<String>,
    /// How it is.
    pub state: State,
}

/// How a replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It takes requests.
    Active,
    /// It stands by.
    Standby,
    /// It is ready, and no proxy says which role it has: nobody calls the function.
    Ready,
    /// A proxy has set it aside.
    Suspect,
    /// It isn't ready, or on its way out.
    Gone,
}

impl State {
    /// Requests may go to it.
    #[must_use]
    pub fn is_well(self) -> bool {
        matches!(self, Self::Active | Self::Standby | Self::Ready)
    }
}

/// What one proxy says of an address.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    active: bool,
    suspect: bool,
    serving: bool,
}

/// All of them, by address.
pub(super) fn of(facts: &Facts, subject: &Subject) -> Vec<Replica> {
    let mut seen: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
    let reports = facts.proxies.iter().filter_map(|asked| asked.report.as_ref().ok());
    for (address, one) in reports.flat_map(|report| by_address(report, subject)) {
        seen.entry(address).or_default().push(one);
    }
    let of_pods = subject.pods.iter().map(|pod| of_pod(pod, &seen));
    let has_pod = |address: &String| subject.pods.iter().any(|pod| is_at(pod, address));
    let others = seen.keys().filter(|address| !has_pod(address)).map(|address| Replica {
        pod: None,
        address: address.clone(),
        node: None,
        state: State::Gone,
    });
    let mut replicas: Vec<Replica> = of_pods.chain(others).collect();
    replicas.sort_by(|one, other| one.address.cmp(&other.address));
    replicas
}

fn of_pod(pod: &PodFact, seen: &BTreeMap<String, Vec<Seen>>) -> Replica {
    let known = seen.iter().find(|(address, _)| is_at(pod, address));
    let all = known.map_or(&[][..], |(_, all)| all.as_slice());
    let state = if !pod.ready {
        State::Gone
    } else if all.iter().any(|one| one.suspect || !one.serving) {
        State::Suspect
    } else if all.iter().any(|one| one.active) {
        State::Active
    } else if all.is_empty() {
        State::Ready
    } else {
        State::Standby
    };
    Replica {
        pod: Some(pod.name.clone()),
        address: known.map_or_else(|| pod.ip.clone(), |(address, _)| address.clone()),
        node: Some(pod.node.clone()),
        state,
    }
}

/// `ip:port`, IPv6 in brackets, and the pod's address.
fn is_at(pod: &PodFact, address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']') == pod.ip
}

/// The bits of the filter's masks are the hosts in order of their address. A function with several clusters (Knative's
/// traffic splits) has one set of masks for all: it can't be told whose bits they are.
fn by_address(report: &Report, subject: &Subject) -> Vec<(String, Seen)> {
    let mut clusters = report.clusters.iter().filter(|cluster| subject.has_cluster(cluster));
    let (Some(cluster), None) = (clusters.next(), clusters.next()) else { return Vec::new() };
    let Some(metrics) = report.metrics.get(&subject.function.id()) else { return Vec::new() };
    let Some(hosts) = report.hosts.iter().find(|hosts| hosts.name == cluster.name) else { return Vec::new() };
    let mut hosts: Vec<(&str, bool)> =
        hosts.hosts.iter().map(|host| (host.address.as_str(), host.serving)).collect();
    hosts.sort_unstable();
    hosts.dedup_by_key(|(address, _)| *address);
    let seen = |place, serving| Seen {
        active: is_set(metrics.active_mask, place),
        suspect: is_set(metrics.suspect_mask, place),
        serving,
    };
    // While proxy and filter don't agree on who is there, the masks are of others.
    if metrics.replicas != hosts.len() as u64 {
        return Vec::new();
    }
    let each = hosts.into_iter().enumerate();
    each.map(|(place, (address, serving))| (address.to_owned(), seen(place, serving))).collect()
}

fn is_set(mask: u64, place: usize) -> bool {
    place < 64 && mask & (1 << place) != 0
}
