//! Proxies under load by turns: each has a slice of every round.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use fib::random::SplitMix64;

use super::closed_loop::Client;
use super::variant::Running;
use crate::median::median;

/// How long a proxy is loaded before its turn passes: long against a context switch, short against whatever else the
/// machine does.
const SLICE: Duration = Duration::from_secs(1);

/// One slice of a proxy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    pub(super) requests_per_second: f64,
    pub(super) cpu_us_per_request: f64,
    /// Share of a core that the proxy used.
    pub(super) busy: f64,
}

/// The slices of each proxy. `watch` is told the number of each round before it begins. One more comes first, which isn't
/// kept: it connects, and lets steadfaas see its replicas.
pub(super) async fn take(
    rounds: usize,
    proxies: &[Running],
    client: &Client,
    watch: &mut dyn FnMut(usize),
) -> anyhow::Result<Vec<Vec<Slice>>> {
    let (mut slices, mut random) = (vec![Vec::new(); proxies.len()], SplitMix64::new(1));
    for round in 0..=rounds {
        watch(round);
        for index in shuffled(proxies.len(), &mut random) {
            let slice = measure(proxies.get(index).context("no such proxy")?, client).await?;
            slices.get_mut(index).into_iter().filter(|_| round > 0).for_each(|own| own.push(slice));
        }
    }
    Ok(slices)
}

/// The median of the rounds' ratios.
pub(super) fn ratio(own: &[Slice], others: &[Slice], number: fn(&Slice) -> f64) -> f64 {
    median(own.iter().zip(others).map(|(own, other)| number(own) / number(other)).collect())
}

async fn measure(proxy: &Running, client: &Client) -> anyhow::Result<Slice> {
    let before = proxy.cpu_time();
    let done = client.load(proxy.address(), SLICE).await?;
    let used = proxy.cpu_time().saturating_sub(before).as_secs_f64();
    anyhow::ensure!(done.requests > 0, "{} answered nothing in {SLICE:?}", proxy.name());
    let (requests, took) = (f64::from(done.requests), done.took.as_secs_f64());
    Ok(Slice {
        requests_per_second: requests / took,
        cpu_us_per_request: used * 1e6 / requests,
        busy: used / took,
    })
}

/// The numbers below `count` in a random order: no proxy always follows the same one.
fn shuffled(count: usize, random: &mut SplitMix64) -> Vec<usize> {
    let drawn: BTreeMap<u64, usize> = (0..count).map(|index| (random.next_u64(), index)).collect();
    drawn.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_proxy_has_its_turn_in_every_round() {
        let mut random = SplitMix64::new(5);
        for _ in 0..20 {
            let mut order = shuffled(4, &mut random);
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2, 3]);
        }
    }
}
