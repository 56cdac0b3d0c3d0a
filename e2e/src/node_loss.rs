//! `node-loss`: one of two nodes is lost under load, and returns.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use steadfaas_tests::fib::{Options, Replica};
use steadfaas_tests::load::{Load, Running};
use steadfaas_tests::netns::Network;
use steadfaas_tests::proxy::{Choice, Proxy as Peer, Setting};
use steadfaas_tests::record::Seen;

use crate::shipped::{Proxy, WORKERS};

/// Requests a second: several are in flight when the node is lost, and there is one for every trial.
const RATE: f64 = 100.0;

/// How long the load lasts: trials of a replica that was away for [`AWAY`] come at most 4 s after it was lost, or 5 s
/// where it takes `request-replication` a second to tell that it was.
const SECONDS: f64 = 10.0;

/// When the node is lost. By then the proxy knows its replicas.
const LOST_AT: Duration = Duration::from_secs(3);

/// For how long: long enough for a client to notice.
const AWAY: Duration = Duration::from_millis(2_500);

/// What clients felt of it.
#[derive(Debug)]
pub struct Felt {
    /// What their requests got.
    pub seen: Seen,
    /// Good answers of the lost node's replica after its return.
    pub answers_after_return: u64,
}

/// With steadfaas and these keys in the functions file. The node is lost whose replica gives the answers.
///
/// # Errors
/// Something doesn't start.
pub async fn with_steadfaas(keys: &[&str]) -> anyhow::Result<Felt> {
    let hosts = Hosts::start().await?;
    let proxy = Proxy::start(&hosts.functions(keys)).await?;
    let load = start_load(proxy.address()).await?;
    let mut answers = Vec::new();
    for replica in hosts.addresses() {
        answers.push((proxy.answers_of(replica).await?, replica));
    }
    let lost = most(answers)?;
    hosts.lose_and_return(lost, &load).await?;
    let before = proxy.answers_of(lost).await?;
    let seen = finish(load).await;
    let answers_after_return = proxy.answers_of(lost).await?.saturating_sub(before);
    Ok(Felt { seen, answers_after_return })
}

/// Without: Envoy as Istio sets it up for a Service that nobody configured further.
///
/// # Errors
/// Something doesn't start.
pub async fn without_steadfaas() -> anyhow::Result<Seen> {
    let hosts = Hosts::start().await?;
    let setting = Setting { replicas: &hosts.addresses(), workers: WORKERS, exact_timers: true };
    let peer = Peer::start(&Choice::Envoy("envoy-istio"), setting).await?;
    let load = start_load(peer.address()).await?;
    let executions =
        hosts.replicas.iter().map(|replica| Ok((replica.counts()?.executions, replica.address())));
    let lost = most(executions.collect::<anyhow::Result<_>>()?)?;
    hosts.lose_and_return(lost, &load).await?;
    Ok(finish(load).await)
}

/// Starts a load and waits until a node is to be lost.
async fn start_load(target: SocketAddr) -> anyhow::Result<Running> {
    let load = Load::new(target, RATE, SECONDS).start().await?;
    load.reach(LOST_AT).await;
    Ok(load)
}

async fn finish(load: Running) -> Seen {
    Seen::of(&load.finish().await, LOST_AT)
}

/// The replica that the highest number stands by.
fn most(counted: Vec<(u64, SocketAddr)>) -> anyhow::Result<SocketAddr> {
    counted.into_iter().max().map(|(_, replica)| replica).context("there is no replica")
}

/// Three hosts: this one, where Envoy and the clients are, and two nodes with a replica each.
struct Hosts {
    // Before the network: they end before their namespaces do.
    replicas: Vec<Replica>,
    network: Network,
}

impl Hosts {
    async fn start() -> anyhow::Result<Self> {
        let network = Network::with_nodes(2)?;
        let mut replicas = Vec::new();
        for node in network.nodes() {
            let options = Options { net_of: Some(node.pid()), ..Options::default() };
            replicas.push(Replica::start_at(node.address(), &options).await?);
        }
        Ok(Self { replicas, network })
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        self.replicas.iter().map(Replica::address).collect()
    }

    /// The functions file that a user would write.
    fn functions(&self, keys: &[&str]) -> String {
        let replicas: Vec<String> = self.addresses().iter().map(ToString::to_string).collect();
        let keys: String = keys.iter().map(|key| format!("  {key}\n")).collect();
        format!("functions:\n- name: fib\n  replicas: [{}]\n{keys}", replicas.join(", "))
    }

    /// Takes the link of this replica's node down, and up again when its time is over.
    async fn lose_and_return(&self, replica: SocketAddr, load: &Running) -> anyhow::Result<()> {
        let node = self.network.nodes().iter().find(|node| node.address() == replica);
        let node = node.with_context(|| format!("{replica} is on no node"))?;
        node.lose()?;
        load.reach(LOST_AT + AWAY).await;
        node.bring_back()
    }
}
