//! The view: what a proxy knows of a function's replicas, shared by all of its workers.
//!
//! It is a value. Whoever learns something takes the current one, changes it and puts it back (compare-and-swap), so
//! that every worker acts on the same replicas in the same roles.

mod codec;
mod learning;
mod rank;
mod roles;
mod site;
mod suspicion;

pub use learning::Learned;
pub use roles::{FAILBACK_AFTER, Roles};
pub use suspicion::{CHECK_STANDBY_EVERY, FIRST_TRIAL_AFTER, LONGEST_TRIAL_WAIT, Suspicion};

use crate::admin::Host;
use crate::policy::Site;
use crate::time::Millis;

/// What a proxy knows of a function's replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The replicas, in order of their address.
    pub replicas: Vec<Replica>,
}

/// One replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// `ip:port`, as Envoy's clusters have it.
    pub address: String,
    /// Its place in the function's rendezvous order: higher goes first. The same in every proxy.
    pub rank: u64,
    /// Envoy may send requests to it.
    pub serving: bool,
    /// Envoy doubts it (outlier ejection and the like): taken after the others.
    pub doubtful: bool,
    /// It has a role in the strategy: shares the load, or gets a copy.
    pub active: bool,
    /// It belongs to another service, and gets requests where no own replica is well.
    pub reserve: bool,
    /// Where it is.
    pub site: Site,
    /// It was late when it was last led a request to be heard of: if it is again, it is set aside.
    pub was_late: bool,
    /// Since when it has been there and well; zero if it was there when the view began.
    pub well_since: Millis,
    /// When a request shall be led to it, to hear from it.
    pub next_check: Millis,
    /// Why it is set aside, if it is.
    pub suspicion: Option<Suspicion>,
}

impl Replica {
    /// Nothing is known against it.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.serving && self.suspicion.is_none()
    }

    /// It is set aside because it was silent or late, and may take a request and never answer.
    #[must_use]
    pub fn hangs(&self) -> bool {
        self.suspicion.is_some_and(|suspicion| suspicion.hangs)
    }

    /// It fell silent, and no trial has begun since: it may be back already.
    #[must_use]
    pub fn may_have_paused(&self) -> bool {
        self.suspicion.is_some_and(|suspicion| suspicion.hangs && suspicion.failed_trials == 0)
    }
}

impl View {
    /// Takes in what the admin endpoint says of the replicas. Says whether anything changed.
    pub fn observe(&mut self, hosts: &[Host], roles: &Roles<'_>, now: Millis) -> bool {
        let before = self.clone();
        let starting = before.replicas.is_empty();
        self.replicas.clear();
        for host in hosts {
            // Envoy may name a host once per priority: the first one counts.
            if let Err(place) = self.search(&host.address) {
                self.replicas.insert(place, before.take_over(host, roles, starting, now));
            }
        }
        self.locate(roles.placement);
        self.assign(roles, now);
        *self != before
    }

    /// `host` as a replica, with what was known of it.
    fn take_over(&self, host: &Host, roles: &Roles<'_>, starting: bool, now: Millis) -> Replica {
        let reserve = roles.placement.standby.contains(&host.address);
        let serving = host.serving && (host.ready || reserve);
        match self.find(&host.address).and_then(|place| self.replicas.get(place)) {
            Some(known) => {
                let well_since = if serving && !known.serving { now } else { known.well_since };
                let site = Site { zone: host.zone, ..known.site };
                Replica { serving, doubtful: host.doubtful, reserve, site, well_since, ..known.clone() }
            }
            None => Replica {
                address: host.address.clone(),
                rank: rank::of(roles.function, &host.address),
                serving,
                doubtful: host.doubtful,
                active: false,
                reserve,
                site: Site { node: 0, zone: host.zone },
                was_late: false,
                well_since: if starting { Millis::default() } else { now },
                next_check: now.after(tuned!(CHECK_STANDBY_EVERY)),
                suspicion: None,
            },
        }
    }

    /// Where the replica with this address stands.
    #[must_use]
    pub fn find(&self, address: &str) -> Option<usize> {
        self.search(address).ok()
    }

    fn search(&self, address: &str) -> Result<usize, usize> {
        self.replicas.binary_search_by(|replica| replica.address.as_str().cmp(address))
    }

    /// The function's own replicas.
    pub fn own(&self) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().filter(|replica| !replica.reserve)
    }

    /// How many of them are well.
    #[must_use]
    pub fn well(&self) -> usize {
        self.own().filter(|replica| replica.is_well()).count()
    }

    /// None of them is known to be well any more, which wasn't so when somebody planned with `before`.
    #[must_use]
    pub fn has_lost_all_since(&self, before: &Self) -> bool {
        !std::ptr::eq(self, before) && self.well() == 0 && before.well() > 0
    }

    /// Some replica is suspected: the view wants to be fresh.
    #[must_use]
    pub fn is_uneasy(&self) -> bool {
        self.replicas.iter().any(|replica| replica.suspicion.is_some() || !replica.serving)
    }

    /// The replicas for which `holds`, as bits in order of their address; the first 64 of them.
    pub fn mask(&self, holds: impl Fn(&Replica) -> bool) -> u64 {
        let bits = self.replicas.iter().take(64).enumerate().filter(|(_, replica)| holds(replica));
        bits.fold(0, |mask, (place, _)| mask | (1 << place))
    }
}

#[cfg(test)]
mod tests;
