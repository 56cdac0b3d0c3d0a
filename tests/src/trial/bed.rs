//! The replicas of a run, and what happens to them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use fib::stats::Counts;

use super::fault::{Act, Event, FLAP, Fault, STALL, Target};
use crate::fib::{Options, Replica};
use crate::load::Running;
use crate::netns::{Network, Node};

/// Over what time before a fault the busiest replica is looked for.
const LOOK_BACK: Duration = Duration::from_secs(1);

/// After a load, replicas may still run what nobody waits for: they have finished when their counts stand still for
/// this long, many times what a run takes.
const STILL: Duration = Duration::from_millis(300);

/// And a replica that never finishes is not waited for longer than this.
const SETTLE_PATIENCE: Duration = Duration::from_secs(10);

/// How often replicas that finish are looked at.
const SETTLE_PAUSE: Duration = Duration::from_millis(50);

pub(super) struct Bed {
    // Before the network: they end before their namespaces do.
    replicas: Vec<Replica>,
    network: Option<Network>,
    target: Target,
    struck: Option<(usize, Fault)>,
    at_strike: AtStrike,
}

/// What there was when the first fault struck.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AtStrike {
    /// Requests without an answer.
    pub(super) in_flight: usize,
    /// Requests read by replicas beyond one for each that had been sent.
    pub(super) extra: i64,
}

impl Bed {
    /// So many replicas of this function, each on a node of its own where nodes are to be lost.
    pub(super) async fn start(
        count: u8,
        function: Options,
        target: Target,
        on_nodes: bool,
    ) -> anyhow::Result<Self> {
        let network = if on_nodes { Some(Network::with_nodes(count)?) } else { None };
        let mut replicas = Vec::new();
        for index in 0..usize::from(count) {
            let node = network.as_ref().and_then(|network| network.nodes().get(index));
            replicas.push(match node {
                Some(node) => {
                    let options = Options { net_of: Some(node.pid()), ..function };
                    Replica::start_at(node.address(), &options).await?
                }
                None => Replica::start(&function).await?,
            });
        }
        Ok(Self { replicas, network, target, struck: None, at_strike: AtStrike::default() })
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.replicas.iter().map(Replica::address).collect()
    }

    /// What there was when the first fault struck.
    pub(super) fn at_strike(&self) -> AtStrike {
        self.at_strike
    }

    /// The processor time that the replicas that are there have used.
    pub(super) fn cpu_time(&self) -> Duration {
        self.replicas.iter().map(|replica| replica.process().cpu_time()).sum()
    }

    /// Waits for the event's moment and lets it happen. Returns what it was in words.
    ///
    /// A fault strikes half-way between two requests: in the moment in which one is due, another one is just being
    /// answered, and a fraction of a millisecond would decide whether it is.
    pub(super) async fn bring_about(&mut self, event: &Event, load: &Running) -> anyhow::Result<String> {
        match event.act {
            Act::Strike(fault) => {
                let at = event.at + load.half_a_gap();
                load.reach(at.saturating_sub(LOOK_BACK)).await;
                let before = self.received()?;
                load.reach(at).await;
                let now = self.received()?;
                let index = match self.target {
                    Target::Busiest => busiest(&before, &now).context("there is no replica to strike")?,
                    Target::First => 0,
                };
                if self.at_strike.in_flight == 0 {
                    self.at_strike = at_strike(&now, load)?;
                }
                self.struck = Some((index, fault));
                self.strike(index, fault, at, load).await?;
                Ok(fault.strikes(&format!("replica {}", index + 1)))
            }
            Act::Undo => {
                load.reach(event.at).await;
                let (index, fault) = self.struck.take().context("there is no fault to end")?;
                self.undo(index, fault).await?;
                Ok(format!("replica {} is back", index + 1))
            }
        }
    }

    fn received(&self) -> anyhow::Result<Vec<u64>> {
        self.replicas.iter().map(|replica| Ok(replica.counts()?.received)).collect()
    }

    fn replica(&mut self, index: usize) -> anyhow::Result<&mut Replica> {
        self.replicas.get_mut(index).with_context(|| format!("there is no replica {index}"))
    }

    async fn strike(
        &mut self,
        index: usize,
        fault: Fault,
        at: Duration,
        load: &Running,
    ) -> anyhow::Result<()> {
        match fault {
            Fault::Kill => self.replica(index)?.kill(),
            Fault::Freeze => self.replica(index)?.freeze(),
            Fault::LostNode => self.node(index)?.lose(),
            Fault::Flap => self.flap(index, at, load).await,
            Fault::Storm => {
                self.replicas.iter().try_for_each(Replica::freeze)?;
                load.reach(at + STALL).await;
                self.replicas.iter().try_for_each(Replica::thaw)
            }
            Fault::Misbehaves(words) => self.replica(index)?.misbehave(words).await,
            Fault::AllMisbehave(words) => self.all_misbehave(words).await,
        }
    }

    /// Its last life begins while the load is still on.
    async fn flap(&mut self, index: usize, at: Duration, load: &Running) -> anyhow::Result<()> {
        let mut next = at;
        while next + FLAP < load.lasts() {
            self.replica(index)?.kill()?;
            load.reach(next + FLAP).await;
            self.replica(index)?.restart().await?;
            next += FLAP * 2;
            load.reach(next).await;
        }
        Ok(())
    }

    async fn all_misbehave(&self, words: &str) -> anyhow::Result<()> {
        for replica in &self.replicas {
            replica.misbehave(words).await?;
        }
        Ok(())
    }

    async fn undo(&mut self, index: usize, fault: Fault) -> anyhow::Result<()> {
        match fault {
            Fault::Kill => self.replica(index)?.restart().await,
            Fault::Freeze => self.replica(index)?.thaw(),
            Fault::LostNode => self.node(index)?.bring_back(),
            Fault::Misbehaves(_) => self.replica(index)?.misbehave("").await,
            Fault::AllMisbehave(_) => self.all_misbehave("").await,
            // They end by themselves.
            Fault::Flap | Fault::Storm => Ok(()),
        }
    }

    fn node(&self, index: usize) -> anyhow::Result<&Node> {
        let nodes = self.network.as_ref().context("the replicas have no nodes of their own")?.nodes();
        nodes.get(index).with_context(|| format!("there is no node {index}"))
    }

    /// Lets a frozen replica finish what it holds, waits until no replica counts any more, and adds up.
    pub(super) async fn settle(&mut self) -> anyhow::Result<Counts> {
        if let Some((index, Fault::Freeze)) = self.struck.take() {
            self.replica(index)?.thaw()?;
        }
        let started = Instant::now();
        let (mut last, mut since) = (self.total()?, Instant::now());
        while since.elapsed() < STILL && started.elapsed() < SETTLE_PATIENCE {
            tokio::time::sleep(SETTLE_PAUSE).await;
            let now = self.total()?;
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        Ok(last)
    }

    fn total(&self) -> anyhow::Result<Counts> {
        self.replicas.iter().try_fold(Counts::default(), |sum, replica| Ok(sum + replica.counts()?))
    }
}

fn at_strike(received: &[u64], load: &Running) -> anyhow::Result<AtStrike> {
    let progress = load.progress();
    let sent = progress.sent();
    let in_flight = sent.saturating_sub(progress.good() + progress.failed());
    let read: u64 = received.iter().sum();
    Ok(AtStrike { in_flight, extra: i64::try_from(read)? - i64::try_from(sent)? })
}

/// Which replica received most requests between the two counts; the first of several.
fn busiest(before: &[u64], now: &[u64]) -> Option<usize> {
    let received = before.iter().zip(now).map(|(before, now)| now - before).enumerate();
    received.rev().max_by_key(|(_, received)| *received).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_is_the_one_that_received_most_of_late() {
        assert_eq!(busiest(&[900, 10], &[901, 110]), Some(1));
        assert_eq!(busiest(&[0, 0, 0], &[5, 7, 7]), Some(1), "the first of several");
        assert_eq!(busiest(&[], &[]), None);
    }
}
