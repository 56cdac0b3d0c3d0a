//! What steadfaas costs while all is well: throughput and processor time of one proxy worker, side by side in turn with
//! the same Envoy without the filter, and with the stock filter that does next to nothing.

mod backend;
mod closed_loop;
mod crowd;
mod noop;
mod rounds;
mod variant;

use serde::Serialize;

use closed_loop::Client;
pub use crowd::{Crowd, CrowdCost};
use rounds::{Slice, ratio};
use variant::Running;
pub use variant::Variant;

use crate::median::median;

/// Requests in flight: enough that a worker never waits for the next one.
pub const CONNECTIONS: usize = 32;

/// The proxies share this core, one of them busy at a time; the load has another.
const PROXY_CORE: usize = 1;

/// After so many rounds all proxies are started anew: one start of the same proxy with a wasm filter differs from the
/// next by up to a tenth, and stays what it is.
const ROUNDS_OF_A_START: usize = 5;

/// What is measured.
#[derive(Debug, Clone)]
pub struct Steady {
    /// steadfaas' policies, beside plain Envoy and the stock filter.
    pub policies: Vec<Vec<(String, String)>>,
    /// How many slices each variant has.
    pub rounds: usize,
}

/// A variant's numbers: medians over its slices, and over the rounds' ratios to plain Envoy in the same round.
#[derive(Debug, Clone, Serialize)]
pub struct Cost {
    /// Which variant.
    pub variant: String,
    /// Requests that one worker answers in a second.
    pub requests_per_second: f64,
    /// Processor time of the whole proxy for one.
    pub cpu_us_per_request: f64,
    /// Share of its core's time that the proxy used: near 1, or something else was the bottleneck.
    pub busy: f64,
    /// Throughput against plain Envoy's.
    pub throughput_ratio: f64,
    /// Processor time against plain Envoy's.
    pub cpu_ratio: f64,
    /// Processor time against that of the stock filter.
    pub cpu_ratio_to_noop: f64,
}

impl Steady {
    /// Measures; `watch` is told the number of each round before it begins.
    ///
    /// # Errors
    /// There are fewer than two cores, a proxy doesn't start, or an answer isn't what it should be.
    pub async fn run(&self, watch: &mut dyn FnMut(usize)) -> anyhow::Result<Vec<Cost>> {
        let (client, variants, noop) = (Client::start()?, self.variants(), noop::module()?);
        let mut slices = vec![Vec::new(); variants.len()];
        for before in (0..self.rounds).step_by(ROUNDS_OF_A_START) {
            let mut proxies = Vec::new();
            for variant in &variants {
                proxies.push(Running::start(variant, &noop, &client.backend()).await?);
            }
            let rounds = ROUNDS_OF_A_START.min(self.rounds - before);
            let taken = rounds::take(rounds, &proxies, &client, &mut |round| watch(before + round)).await?;
            slices.iter_mut().zip(taken).for_each(|(all, taken)| all.extend(taken));
        }
        Ok(costs(&variants, &slices))
    }

    fn variants(&self) -> Vec<Variant> {
        let own = self.policies.iter().cloned().map(Variant::Steadfaas);
        [Variant::Plain, Variant::Noop].into_iter().chain(own).collect()
    }
}

/// The first variant is plain Envoy, the second the stock filter.
fn costs(variants: &[Variant], slices: &[Vec<Slice>]) -> Vec<Cost> {
    let [plain, noop, ..] = slices else { return Vec::new() };
    let cost = |(variant, own): (&Variant, &Vec<Slice>)| {
        let of = |number: fn(&Slice) -> f64| median(own.iter().map(number).collect());
        let against = |others: &[Slice], number| ratio(own, others, number);
        Cost {
            variant: variant.to_string(),
            requests_per_second: of(|slice| slice.requests_per_second),
            cpu_us_per_request: of(|slice| slice.cpu_us_per_request),
            busy: of(|slice| slice.busy),
            throughput_ratio: against(plain, |slice| slice.requests_per_second),
            cpu_ratio: against(plain, |slice| slice.cpu_us_per_request),
            cpu_ratio_to_noop: against(noop, |slice| slice.cpu_us_per_request),
        }
    };
    variants.iter().zip(slices).map(cost).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(requests_per_second: f64, cpu_us_per_request: f64) -> Slice {
        Slice { requests_per_second, cpu_us_per_request, busy: 1.0 }
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let variants = [Variant::Plain, Variant::Noop, Variant::Steadfaas(Vec::new())];
        let plain = vec![slice(100.0, 10.0), slice(200.0, 5.0), slice(100.0, 10.0)];
        let noop = vec![slice(50.0, 20.0), slice(100.0, 10.0), slice(50.0, 20.0)];
        let own = vec![slice(80.0, 12.0), slice(160.0, 6.0), slice(80.0, 12.0)];
        let costs = costs(&variants, &[plain, noop, own]);
        let [_, noop, own] = costs.as_slice() else { panic!("three costs") };
        assert_eq!((noop.throughput_ratio, noop.cpu_ratio), (0.5, 2.0));
        assert_eq!((own.throughput_ratio, own.cpu_ratio, own.cpu_ratio_to_noop), (0.8, 1.2, 0.6));
    }
}
