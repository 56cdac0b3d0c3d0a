//! Sites: which replicas are lost together, and how that is avoided.

use super::View;
use crate::policy::Placement;

impl View {
    /// Says on which node every replica is. Those that the policy doesn't name share one where they share an IP address,
    /// as several processes of a machine do.
    pub(super) fn locate(&mut self, placement: &Placement) {
        // In order of their addresses those of one machine are side by side.
        let machines = self.replicas.chunk_by_mut(|one, other| ip(&one.address) == ip(&other.address));
        for (number, machine) in machines.enumerate() {
            let unnamed = u16::try_from(placement.nodes.len() + number + 1).unwrap_or_default();
            for replica in machine {
                replica.site.node = placement.node(ip(&replica.address)).unwrap_or(unnamed);
            }
        }
    }

    /// The best `wanted` of these places, given in their order: each next one is rather on another node than those
    /// before it, and in another zone.
    pub(super) fn spread(&self, mut places: Vec<usize>, wanted: usize) -> Vec<usize> {
        let site = |place: &usize| self.replicas.get(*place).map(|replica| replica.site).unwrap_or_default();
        let mut chosen: Vec<usize> = Vec::new();
        while chosen.len() < wanted && !places.is_empty() {
            let shares = |place: &usize| {
                let site_of = site(place);
                let node = chosen.iter().any(|other| site(other).shares_node(site_of));
                (node, chosen.iter().any(|other| site(other).shares_zone(site_of)))
            };
            let best = places.iter().enumerate().min_by_key(|(rank, place)| (shares(place), *rank));
            let best = best.map_or(0, |(rank, _)| rank);
            chosen.push(places.remove(best));
        }
        chosen
    }
}

/// The address without its port.
fn ip(address: &str) -> &str {
    let ip = address.rsplit_once(':').map_or(address, |(ip, _)| ip);
    ip.trim_start_matches('[').trim_end_matches(']')
}
