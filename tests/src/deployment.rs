//! A function whose replicas are processes: what happens to all of them at once, and what they ran together.

use std::net::SocketAddr;

use fib::stats::Counts;
use rustix::process::Signal;

use crate::bootstrap::Bootstrap;
use crate::fib::{Options, Replica};
use crate::load::Load;
use crate::stage::{Stage, entry};

/// A function with processes as replicas.
#[derive(Debug)]
pub struct Deployment {
    /// Its name; its host is `<name>.test`.
    pub name: String,
    /// Its replicas.
    pub replicas: Vec<Replica>,
    /// Its settings, separated by `;`.
    settings: String,
}

impl Deployment {
    /// A function with that many replicas and these settings, such as `strategy: retry`; several are separated by `;`.
    ///
    /// # Errors
    /// A replica doesn't come up.
    pub async fn new(name: &str, replicas: usize, options: &Options, settings: &str) -> anyhow::Result<Self> {
        let mut function =
            Self { name: name.to_owned(), replicas: Vec::new(), settings: settings.to_owned() };
        for _ in 0..replicas {
            function.replicas.push(Replica::start(options).await?);
        }
        Ok(function)
    }

    /// Where its replicas are.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.replicas.iter().map(Replica::address).collect()
    }

    /// Its entry in the functions file.
    ///
    /// # Errors
    /// None in practice: text is written to memory.
    pub fn entry(&self) -> anyhow::Result<String> {
        Ok(entry(&self.name, self.addresses().into_iter(), &self.settings)?)
    }

    /// The bootstrap for it alone.
    ///
    /// # Errors
    /// A setting is wrong.
    pub fn bootstrap(&self) -> anyhow::Result<Bootstrap> {
        Bootstrap::render(&format!("functions:\n{}", self.entry()?), xtask::envoy::NEWEST)
    }

    /// An Envoy in front of it that knows its replicas.
    ///
    /// # Errors
    /// It doesn't come up, or learns nothing of a replica.
    pub async fn stage(&self) -> anyhow::Result<Stage> {
        self.stage_with(&self.bootstrap()?).await
    }

    /// The same with a bootstrap that was changed.
    ///
    /// # Errors
    /// As [`stage`](Self::stage).
    pub async fn stage_with(&self, bootstrap: &Bootstrap) -> anyhow::Result<Stage> {
        let stage = Stage::open(bootstrap).await?;
        stage.wait_until_known(&self.name, self.replicas.len()).await?;
        Ok(stage)
    }

    /// GETs for it: `rate` a second for `seconds`.
    #[must_use]
    pub fn load(&self, stage: &Stage, rate: f64, seconds: f64) -> Load {
        let mut load = Load::new(stage.target, rate, seconds);
        load.host = Some(format!("{}.test", self.name));
        load.id_prefix.clone_from(&self.name);
        load
    }

    /// What its replicas counted together.
    ///
    /// # Errors
    /// The counts of one can't be read.
    pub fn counts(&self) -> anyhow::Result<Counts> {
        self.replicas.iter().try_fold(Counts::default(), |sum, replica| Ok(sum + replica.counts()?))
    }

    /// Kills all at the same moment, and waits until they are gone.
    ///
    /// # Errors
    /// One has ended already.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::KILL)?;
        self.replicas.iter_mut().try_for_each(Replica::kill)
    }

    /// Starts all again.
    ///
    /// # Errors
    /// One doesn't come up.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        for replica in &mut self.replicas {
            replica.restart().await?;
        }
        Ok(())
    }

    /// Freezes all at the same moment.
    ///
    /// # Errors
    /// One has ended.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Thaws all.
    ///
    /// # Errors
    /// One has ended.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        self.replicas.iter().try_for_each(|replica| replica.process().signal(signal))
    }
}
