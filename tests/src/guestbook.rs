//! Replicas of the guestbook as processes, all on one Redis.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use xtask::functions::Function;

use crate::process::{Process, Program};
use crate::redis::Redis;
use crate::{http, ports, programs};

/// A replica listens after some milliseconds; the rest is for a machine that compiles meanwhile.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// The guestbook's hash in Redis, by key: what tells one entry from two.
pub const TEXTS: &str = "{guestbook}:texts";

/// One replica. It is ended when dropped.
#[derive(Debug)]
pub struct Replica {
    process: Process,
    address: SocketAddr,
}

impl Replica {
    /// Starts one on a free loopback port, for which adding an entry takes so long once it is stored.
    ///
    /// # Errors
    /// It doesn't come up.
    pub async fn start(redis: &Redis, work: Duration) -> anyhow::Result<Self> {
        let address = ports::free_address();
        let program = Program::new(programs::find(Function::Guestbook)?)
            .args(["--listen", &address.to_string(), "--redis", &redis.url()])
            .arg(format!("--work={}us", work.as_micros()));
        let mut process = program.start()?;
        http::wait_until_well(address, "/healthz", &mut process, START_PATIENCE).await?;
        Ok(Self { process, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process, to be frozen and thawed.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Its process, to be killed.
    #[must_use]
    pub fn process_mut(&mut self) -> &mut Process {
        &mut self.process
    }

    /// How often it has run.
    ///
    /// # Errors
    /// It doesn't say.
    pub async fn executions(&self) -> anyhow::Result<u64> {
        let (_, text) = http::get(self.address, "/stats").await?;
        let report: Value = serde_json::from_str(&text)?;
        report.get("executions").and_then(Value::as_u64).context("the guestbook doesn't say how often it ran")
    }
}

/// How many entries there are.
///
/// # Errors
/// Redis doesn't say.
pub async fn entries(redis: &Redis) -> anyhow::Result<u64> {
    Ok(redis.ask(&format!("HLEN {TEXTS}")).await?.parse()?)
}

/// How often an entry was to be added, whether it was there or not.
///
/// # Errors
/// Redis doesn't say.
pub async fn additions(redis: &Redis) -> anyhow::Result<u64> {
    redis.calls("hsetnx").await
}
