//! Replicas of the sample function as processes: started, killed, frozen, thawed, stopped, started again.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use fib::stats::Counts;
use hyper::StatusCode;
use rustix::process::Pid;
use tempfile::NamedTempFile;
use xtask::functions::Function;

use crate::process::{Process, Program};
use crate::{http, ports, programs};

/// A replica listens after some milliseconds; the rest is for a machine that compiles meanwhile.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// A drain may take as long as one request.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// How often its counts are read before what stands there is no moment's doing: it takes microseconds to write them.
const READS: usize = 4;

/// What a replica is started with.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Time one request takes besides computing.
    pub work: Duration,
    /// How much that differs from run to run: the deviation of the logarithm of a lognormal time; 0: not at all.
    pub spread: f64,
    /// The time that `/slow` takes, where there is one.
    pub slow_work: Option<Duration>,
    /// How many requests run at once; none: as many as come.
    pub concurrency: Option<usize>,
    /// The process whose network namespace it runs in, if not this one's.
    pub net_of: Option<Pid>,
}

impl Options {
    /// A function of 10 ms that takes as many requests as come.
    pub const TEN_MS: Self = Self {
        work: Duration::from_millis(10),
        spread: 0.0,
        slow_work: None,
        concurrency: None,
        net_of: None,
    };

    fn arguments(&self) -> Vec<String> {
        let mut words =
            vec![format!("--work={}us", self.work.as_micros()), format!("--spread={}", self.spread)];
        words.extend(self.slow_work.map(|time| format!("--slow-work={}us", time.as_micros())));
        words.extend(self.concurrency.map(|count| format!("--concurrency={count}")));
        words
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::TEN_MS
    }
}

/// One replica. It is ended when dropped.
#[derive(Debug)]
pub struct Replica {
    program: Program,
    process: Process,
    address: SocketAddr,
    /// Where it writes its counts down, so that they outlive it.
    counts: NamedTempFile,
    /// What its predecessors on this address counted.
    before: Counts,
}

impl Replica {
    /// Starts one on a free loopback port.
    ///
    /// # Errors
    /// It doesn't come up.
    pub async fn start(options: &Options) -> anyhow::Result<Self> {
        Self::start_at(ports::free_address(), options).await
    }

    /// Starts one on a given address.
    ///
    /// # Errors
    /// It doesn't come up.
    pub async fn start_at(address: SocketAddr, options: &Options) -> anyhow::Result<Self> {
        let counts = NamedTempFile::with_prefix("fib-counts-")?;
        let program = Program::new(programs::find(Function::Fib)?)
            .args(["--listen", &address.to_string()])
            .args(options.arguments())
            .arg("--allow-faults")
            .arg("--counts-file")
            .arg(counts.path())
            .in_net_of(options.net_of);
        let process = program.start()?;
        let mut replica = Self { program, process, address, counts, before: Counts::default() };
        replica.wait_until_well().await?;
        Ok(replica)
    }

    async fn wait_until_well(&mut self) -> anyhow::Result<()> {
        http::wait_until_well(self.address, "/healthz", &mut self.process, START_PATIENCE).await
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process: pid, log, processor time.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Kills it (SIGKILL): its connections are reset, its port refuses.
    ///
    /// # Errors
    /// It can't be.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()
    }

    /// Freezes it (SIGSTOP): it accepts connections, as the kernel does that, and never answers.
    ///
    /// # Errors
    /// It has ended.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.process.freeze()
    }

    /// Thaws it (SIGCONT): it goes on with what it was at, and with what came meanwhile.
    ///
    /// # Errors
    /// It has ended.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.process.thaw()
    }

    /// Lets it misbehave as these words say (see [`fib::fault`]); empty words end that.
    ///
    /// # Errors
    /// It doesn't answer, or doesn't know the words.
    pub async fn misbehave(&self, words: &str) -> anyhow::Result<()> {
        let (status, text) = http::post(self.address, "/fault", words).await?;
        anyhow::ensure!(status == StatusCode::OK, "fib refuses the fault {words:?}: {text}");
        Ok(())
    }

    /// Stops it (SIGTERM): it finishes what it is at, and ends.
    ///
    /// # Errors
    /// It doesn't end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.process.stop(STOP_PATIENCE).await
    }

    /// Starts it again on the same address, once it was killed or stopped. Its counts go on.
    ///
    /// # Errors
    /// It doesn't come up.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.before = self.counts()?;
        std::fs::write(self.counts.path(), "")?;
        self.process = self.program.start()?;
        self.wait_until_well().await
    }

    /// What it counted since it was first started, killed or not. A frozen one counts what it holds once thawed.
    ///
    /// # Errors
    /// Its counts can't be read.
    pub fn counts(&self) -> anyhow::Result<Counts> {
        Ok(self.before + whole_counts(|| std::fs::read_to_string(self.counts.path()))?)
    }

    /// What it answers on `/stats?ids=1`: also how often each request id was run.
    ///
    /// # Errors
    /// It doesn't answer.
    pub async fn stats(&self) -> anyhow::Result<fib::stats::Report> {
        let (_, text) = http::get(self.address, "/stats?ids=1").await?;
        Ok(serde_json::from_str(&text)?)
    }
}

/// What stands in a replica's file of counts. It may have become longer while it was read, by a digit: then it is read again.
fn whole_counts(mut read: impl FnMut() -> io::Result<String>) -> anyhow::Result<Counts> {
    let mut counts = || {
        let text = read()?;
        Ok(if text.is_empty() { Counts::default() } else { serde_json::from_str(text.trim_end())? })
    };
    (1..READS).find_map(|_| counts().ok()).map_or_else(counts, Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_became_longer_while_they_were_read_are_read_again() {
        let text = serde_json::to_string(&Counts { received: 10, ..Counts::default() }).unwrap();
        let mut texts = vec![text.clone(), format!("{text}}}")];
        assert_eq!(whole_counts(|| Ok(texts.pop().unwrap())).unwrap().received, 10);
        assert_eq!(whole_counts(|| Ok(String::new())).unwrap(), Counts::default());
        assert!(whole_counts(|| Ok("no counts".to_owned())).is_err());
    }
}
