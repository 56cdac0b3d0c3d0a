//! What a proxy with many protected functions costs: a request for one of them, against a proxy that has only this one;
//! and the proxy itself while nobody asks, once each function was called.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::closed_loop::Client;
use super::rounds::{self, Slice, ratio};
use super::variant::{Running, replace_filter};
use crate::bootstrap::Bootstrap;
use crate::client::{Ask, Connection};
use crate::median::median;
use crate::proxy::functions_file;

/// Once nobody asks any more the filter looks for replicas for some seconds; answers that are under way by then come
/// late where there are many clusters.
const UNTIL_QUIET: Duration = Duration::from_secs(20);

/// How long the proxy is watched while nobody asks.
const QUIET: Duration = Duration::from_secs(10);

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// How many functions the proxy protects.
    pub functions: usize,
    /// How many slices of a second each proxy has.
    pub rounds: usize,
}

/// What one of the proxies costs.
#[derive(Debug, Clone, Serialize)]
pub struct CrowdCost {
    /// Which proxy.
    pub proxy: String,
    /// Processor time of a request.
    pub cpu_us_per_request: f64,
    /// The same against the proxy with one function: the median of the rounds' ratios.
    pub cpu_ratio: f64,
    /// Throughput against that of the proxy with one function.
    pub throughput_ratio: f64,
    /// Share of a core, in percent, that it takes while nobody asks, each function having been called once.
    pub idle_percent: f64,
}

impl Crowd {
    /// Measures steadfaas with one function and with all, and beside them plain Envoy with as many clusters. `watch` is
    /// told the number of each round before it begins.
    ///
    /// # Errors
    /// A proxy doesn't start, or an answer isn't what it should be.
    pub async fn run(&self, watch: &mut dyn FnMut(usize)) -> anyhow::Result<Vec<CrowdCost>> {
        let client = Client::start()?;
        let setups = [(1, true), (self.functions, false), (self.functions, true)];
        let mut proxies = Vec::new();
        for (functions, is_protected) in setups {
            proxies.push(start(functions, is_protected, &client).await?);
        }
        for (proxy, (functions, _)) in proxies.iter().zip(setups) {
            call_each(proxy, functions).await?;
        }
        tokio::time::sleep(UNTIL_QUIET).await;
        let idle_percent = idle(&proxies).await;
        let slices = rounds::take(self.rounds, &proxies, &client, watch).await?;
        Ok(costs(&proxies, &slices, &idle_percent))
    }
}

/// The first proxy is the one with one function.
fn costs(proxies: &[Running], slices: &[Vec<Slice>], idle_percent: &[f64]) -> Vec<CrowdCost> {
    let one = slices.first().map_or(&[][..], Vec::as_slice);
    let cost = |((proxy, own), idle_percent): ((&Running, &Vec<Slice>), &f64)| {
        let to_one = |number| ratio(own, one, number);
        CrowdCost {
            proxy: proxy.name().to_owned(),
            cpu_us_per_request: median(own.iter().map(|slice| slice.cpu_us_per_request).collect()),
            cpu_ratio: to_one(|slice| slice.cpu_us_per_request),
            throughput_ratio: to_one(|slice| slice.requests_per_second),
            idle_percent: *idle_percent,
        }
    };
    proxies.iter().zip(slices).zip(idle_percent).map(cost).collect()
}

async fn start(functions: usize, is_protected: bool, client: &Client) -> anyhow::Result<Running> {
    let policy = [("strategy".to_owned(), "active-standby".to_owned())];
    let replicas = client.backend();
    // This one answers to every host that isn't another's.
    let mut file = functions_file(&policy, &replicas);
    for number in 1..functions {
        let [first, second] = replicas;
        writeln!(file, "- name: function-{number}\n  host: function-{number}.test")?;
        writeln!(file, "  replicas: [{first}, {second}]\n  strategy: active-standby")?;
    }
    let mut bootstrap = Bootstrap::render(&file, xtask::envoy::NEWEST)?;
    let mut name = format!("steadfaas, {functions} functions");
    if !is_protected {
        replace_filter(&mut bootstrap, None)?;
        name = format!("envoy, {functions} clusters");
    }
    Running::of(name, bootstrap).await
}

async fn call_each(proxy: &Running, functions: usize) -> anyhow::Result<()> {
    let mut connection = Connection::open(proxy.address()).await?;
    for number in 1..functions {
        let host = format!("function-{number}.test");
        let reply = connection.send(Ask::get(&host, "/")).await?;
        anyhow::ensure!(reply.status == 200, "{host} answers {}", reply.status);
    }
    Ok(())
}

/// The share of a core that each proxy takes while nobody asks, in percent.
async fn idle(proxies: &[Running]) -> Vec<f64> {
    let watched = Instant::now();
    let before: Vec<Duration> = proxies.iter().map(Running::cpu_time).collect();
    tokio::time::sleep(QUIET).await;
    let used = proxies.iter().zip(before).map(|(proxy, before)| proxy.cpu_time().saturating_sub(before));
    used.map(|used| 100.0 * used.as_secs_f64() / watched.elapsed().as_secs_f64()).collect()
}
