//! A cell's stand: its replicas, the load on its function, the fault, and what was seen of it all.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use hyper::Method;

use super::cell::Cell;
use super::expect::{Expect, Then};
use super::judge::{Look, Observed};
use super::members;
use super::replica::Replica;
use super::steps::{Action, Step, Whom};
use crate::client::Ask;
use crate::load::{Load, Running};

/// Requests a second of one cell: enough that some are in flight at any fault, few enough for dozens of cells at once.
const RATE: f64 = 40.0;

/// What a client waits that wants to be told: twice as long as the filter lets a request wait for a replica.
const TOLD_TIMEOUT: Duration = Duration::from_secs(20);

/// What a thawed process needs to run all that it was sent.
const LATE_RUNS: Duration = Duration::from_millis(500);

/// A cell with its replicas.
#[derive(Debug)]
pub(super) struct Stand {
    pub(super) cell: Cell,
    /// Where its replicas are, and after them those that will replace them.
    pub(super) addresses: Vec<SocketAddr>,
    /// The file that says who is a member, where a test changes that.
    pub(super) members: Option<PathBuf>,
    replicas: Vec<Replica>,
    victim: Option<usize>,
    looks: Vec<Look>,
}

impl Stand {
    pub(super) fn new(cell: Cell, addresses: Vec<SocketAddr>, members: Option<PathBuf>) -> Self {
        Self { cell, addresses, members, replicas: Vec::new(), victim: None, looks: Vec::new() }
    }

    /// Starts the replicas, and those that will replace them.
    pub(super) async fn set_up(&mut self) -> anyhow::Result<()> {
        for address in self.addresses.iter().copied() {
            self.replicas.push(Replica::start(address, self.cell.fault.is_of_processes()).await?);
        }
        Ok(())
    }

    /// Sends the load after `delay`, brings about the fault, and says what was seen. The replicas are ended.
    pub(super) async fn run(
        mut self,
        target: SocketAddr,
        delay: Duration,
    ) -> anyhow::Result<(Cell, Observed)> {
        tokio::time::sleep(delay).await;
        let name = self.cell.name();
        let observed = self.observe(target).await.with_context(|| format!("cell {name}"))?;
        Ok((self.cell, observed))
    }

    async fn observe(&mut self, target: SocketAddr) -> anyhow::Result<Observed> {
        let length = self.cell.fault.length();
        let mut load = Load::new(target, RATE, length.as_secs_f64());
        load.host = Some(self.cell.host());
        load.method = self.cell.call.method();
        load.headers = self.cell.call.headers();
        if load.method == Method::POST {
            load.body = "15".into();
        }
        load.timeout = self.cell.fault.patience();
        load.id_prefix = self.cell.name();
        self.look(Duration::ZERO)?;
        let running = load.start().await?;
        for step in self.cell.fault.steps(self.cell.replicas) {
            self.take(step, &running).await.with_context(|| format!("{:?} at {:?}", step.what, step.at))?;
        }
        running.reach(length).await;
        let (last_answer, outcomes) = tokio::join!(self.last_answer(target), running.finish());
        for replica in &mut self.replicas {
            replica.thaw().await?;
        }
        tokio::time::sleep(LATE_RUNS).await;
        self.look(length)?;
        let mut runs = BTreeMap::new();
        for replica in &self.replicas {
            replica.tell(&mut runs).await;
        }
        // Not those that were sent before the load.
        runs.retain(|id, _| id.starts_with(&self.cell.name()));
        let looks = std::mem::take(&mut self.looks);
        Ok(Observed { outcomes, looks, victim: self.victim, runs, last_answer })
    }

    /// What one more client is told, where that matters.
    async fn last_answer(&self, target: SocketAddr) -> Option<(u16, String)> {
        let is_wanted = |expect: &Expect| expect.then == Then::ClientsAreTold;
        self.cell.expect.as_ref().ok().filter(|expect| is_wanted(expect))?;
        let asked = Ask::post(&self.cell.host(), "/", "15").send(target);
        let reply = tokio::time::timeout(TOLD_TIMEOUT, asked).await.ok()?.ok()?;
        Some((reply.status.as_u16(), reply.text()))
    }

    async fn take(&mut self, step: Step, running: &Running) -> anyhow::Result<()> {
        running.reach(step.at).await;
        self.look(step.at)?;
        let whom = self.whom(step.whom);
        if self.victim.is_none() {
            self.victim = whom.first().copied();
        }
        match step.what {
            Action::Look => Ok(()),
            Action::Join => self.join(&whom),
            what => {
                for place in whom {
                    self.replicas.get_mut(place).context("no such replica")?.suffer(what).await?;
                }
                Ok(())
            }
        }
    }

    fn join(&self, places: &[usize]) -> anyhow::Result<()> {
        let addresses = places.iter().filter_map(|place| self.addresses.get(*place).copied());
        let file = self.members.as_ref().context("the members of this cell don't change")?;
        members::write(file, &self.cell.name(), &Vec::from_iter(addresses))
    }

    /// The replicas that a step is for.
    fn whom(&self, whom: Whom) -> Vec<usize> {
        let since = |look: usize| self.looks.iter().rev().nth(look);
        let executed = match (since(0), since(1)) {
            (Some(now), Some(before)) => now.since(before),
            _ => Vec::new(),
        };
        let counts = executed.iter().copied().zip(0..self.cell.replicas);
        match whom {
            Whom::Busiest => counts.max().map(|(_, place)| place).into_iter().collect(),
            Whom::Idlest => counts.min().map(|(_, place)| place).into_iter().collect(),
            Whom::Victim => self.victim.into_iter().collect(),
            Whom::Those(from, to) => (from..to).collect(),
        }
    }

    /// Takes down how much each replica has executed.
    fn look(&mut self, at: Duration) -> anyhow::Result<()> {
        let look = self.now(at)?;
        self.looks.push(look);
        Ok(())
    }

    fn now(&self, at: Duration) -> anyhow::Result<Look> {
        let executions = self.replicas.iter().map(Replica::executions).collect::<anyhow::Result<_>>()?;
        Ok(Look { at, executions })
    }
}
