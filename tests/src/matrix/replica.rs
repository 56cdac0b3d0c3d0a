//! A replica of a cell: a process of the sample function, or a scripted one.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::Context;

use super::steps::{Action, WORK};
use crate::fib;
use crate::scripted::{Behaviour, Scripted};

/// A replica of a cell.
#[derive(Debug)]
pub(super) struct Replica {
    kind: Kind,
    is_frozen: bool,
    /// Runs by request id of its processes that are gone.
    before: BTreeMap<String, u32>,
}

#[derive(Debug)]
enum Kind {
    Process(Box<fib::Replica>),
    Scripted(Scripted),
}

impl Replica {
    /// Starts one: a process, or a scripted one.
    pub(super) async fn start(address: SocketAddr, is_process: bool) -> anyhow::Result<Self> {
        let kind = if is_process {
            let options = fib::Options { work: WORK, ..fib::Options::default() };
            Kind::Process(Box::new(fib::Replica::start_at(address, &options).await?))
        } else {
            Kind::Scripted(Scripted::start(address, Behaviour::Well(WORK)).await?)
        };
        Ok(Self { kind, is_frozen: false, before: BTreeMap::new() })
    }

    /// Does to it what a step says.
    pub(super) async fn suffer(&mut self, action: Action) -> anyhow::Result<()> {
        if matches!(action, Action::Kill | Action::Stop) {
            self.remember().await?;
        }
        self.is_frozen = match action {
            Action::Freeze => true,
            Action::Thaw | Action::Kill => false,
            _ => self.is_frozen,
        };
        match (action, &mut self.kind) {
            (Action::Start, Kind::Process(process)) => process.restart().await?,
            (Action::Kill, Kind::Process(process)) => process.kill()?,
            (Action::Stop, Kind::Process(process)) => process.stop().await?,
            (Action::Freeze, Kind::Process(process)) => process.freeze()?,
            (Action::Thaw, Kind::Process(process)) => process.thaw()?,
            (Action::Behave(behaviour), Kind::Scripted(scripted)) => scripted.behave(behaviour),
            (Action::Refuse, Kind::Scripted(scripted)) => scripted.refuse().await,
            (Action::ComeBack, Kind::Scripted(scripted)) => scripted.come_back().await?,
            (action, kind) => anyhow::bail!("{action:?} can't be done to {kind:?}"),
        }
        Ok(())
    }

    /// Takes down what its process will not be able to say any more.
    async fn remember(&mut self) -> anyhow::Result<()> {
        if let Kind::Process(process) = &self.kind {
            for (id, runs) in process.stats().await?.ids {
                *self.before.entry(id).or_default() += runs;
            }
        }
        Ok(())
    }

    /// How many executions it has begun, killed or not.
    pub(super) fn executions(&self) -> anyhow::Result<usize> {
        match &self.kind {
            Kind::Process(process) => usize::try_from(process.counts()?.executions)
                .context("more executions than there are numbers"),
            Kind::Scripted(scripted) => Ok(scripted.ledger().count()),
        }
    }

    /// Adds how often it ran each request to `runs`.
    pub(super) async fn tell(&self, runs: &mut BTreeMap<String, u32>) {
        for (id, times) in &self.before {
            *runs.entry(id.clone()).or_default() += times;
        }
        match &self.kind {
            // One that was stopped or killed has told all before.
            Kind::Process(process) => {
                for (id, times) in process.stats().await.unwrap_or_default().ids {
                    *runs.entry(id).or_default() += times;
                }
            }
            Kind::Scripted(scripted) => scripted.ledger().count_by_id(runs),
        }
    }

    /// Ends its freeze, if it is frozen: what came meanwhile shall run.
    pub(super) async fn thaw(&mut self) -> anyhow::Result<()> {
        if self.is_frozen { self.suffer(Action::Thaw).await } else { Ok(()) }
    }
}
