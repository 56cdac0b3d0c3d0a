//! A real Envoy: started from a bootstrap, asked over its admin endpoint, stopped when dropped.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use hyper::StatusCode;
use steadfaas_core::envoy::EXACT_TIMERS;
use tempfile::NamedTempFile;

use crate::http;
use crate::process::{Process, Program};

/// An Envoy is live after 0.1 s, with a wasm module after 0.5 s, with ten thousand clusters after half a minute; the rest
/// is for a machine that compiles meanwhile.
const START_PATIENCE: Duration = Duration::from_secs(180);

/// The newest Envoy that is supported: `$STEADFAAS_ENVOY`, else the one that `xtask` finds or fetches.
///
/// # Errors
/// There is none and it can't be had.
pub fn newest() -> anyhow::Result<PathBuf> {
    named_or_ensured("STEADFAAS_ENVOY", xtask::envoy::NEWEST)
}

/// The oldest Envoy that is supported: `$STEADFAAS_ENVOY_OLDEST`, else the one that `xtask` finds or fetches.
///
/// # Errors
/// There is none and it can't be had.
pub fn oldest() -> anyhow::Result<PathBuf> {
    named_or_ensured("STEADFAAS_ENVOY_OLDEST", xtask::envoy::OLDEST)
}

fn named_or_ensured(variable: &str, version: &str) -> anyhow::Result<PathBuf> {
    match std::env::var_os(variable) {
        Some(path) => Ok(path.into()),
        None => xtask::envoy::ensure(version),
    }
}

/// How to start one.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The binary.
    pub binary: PathBuf,
    /// Where its bootstrap says that the admin endpoint is.
    pub admin: SocketAddr,
    /// Number of workers.
    pub concurrency: u32,
    /// The core it is kept on.
    pub core: Option<usize>,
    /// Its timers are exact ([`EXACT_TIMERS`]) and not the kernel's ticks.
    pub exact_timers: bool,
}

impl Launch {
    /// One worker, on any core, with timers as they come.
    #[must_use]
    pub fn new(binary: impl Into<PathBuf>, admin: SocketAddr) -> Self {
        Self { binary: binary.into(), admin, concurrency: 1, core: None, exact_timers: false }
    }

    /// With this many workers.
    #[must_use]
    pub fn workers(mut self, count: u32) -> Self {
        self.concurrency = count;
        self
    }

    /// With exact timers, or with those that it has by itself.
    #[must_use]
    pub fn exact_timers(mut self, are_exact: bool) -> Self {
        self.exact_timers = are_exact;
        self
    }

    /// Starts it with a bootstrap given as a value.
    ///
    /// # Errors
    /// It doesn't come up; the message ends with what it logged last.
    pub async fn start(&self, bootstrap: &serde_json::Value) -> anyhow::Result<Envoy> {
        self.start_text(&serde_json::to_string_pretty(bootstrap)?, ".json").await
    }

    /// Starts it with a bootstrap given as text: YAML, or JSON where `extension` is `.json`.
    ///
    /// # Errors
    /// It doesn't come up; the message ends with what it logged last.
    pub async fn start_text(&self, bootstrap: &str, extension: &str) -> anyhow::Result<Envoy> {
        let mut file = tempfile::Builder::new().prefix("bootstrap-").suffix(extension).tempfile()?;
        file.write_all(bootstrap.as_bytes())?;
        let process = self.program(file.path()).start()?;
        let mut envoy = Envoy { process, admin: self.admin, _bootstrap: file };
        http::wait_until_well(self.admin, "/ready", &mut envoy.process, START_PATIENCE).await?;
        Ok(envoy)
    }

    fn program(&self, bootstrap: &Path) -> Program {
        let program = Program::new(&self.binary)
            .arg("--config-path")
            .arg(bootstrap)
            .args(["--concurrency", &self.concurrency.to_string()])
            // Several run side by side: none may talk to another over shared memory.
            .args(["--disable-hot-restart", "--log-level", "warn"])
            .on_core(self.core);
        if self.exact_timers { program.variable(EXACT_TIMERS) } else { program }
    }
}

/// A running Envoy. It is ended when dropped.
#[derive(Debug)]
pub struct Envoy {
    process: Process,
    admin: SocketAddr,
    _bootstrap: NamedTempFile,
}

impl Envoy {
    /// What the admin endpoint answers to a GET.
    ///
    /// # Errors
    /// It doesn't answer, or not with 200.
    pub async fn get(&self, path: &str) -> anyhow::Result<String> {
        let (status, text) = http::get(self.admin, path).await?;
        anyhow::ensure!(status == StatusCode::OK, "Envoy's admin answers {status} to {path}: {text}");
        Ok(text)
    }

    /// The value of a counter or gauge; 0 if it was never touched, as Envoy makes many of them when first needed.
    ///
    /// # Errors
    /// The admin endpoint doesn't answer.
    pub async fn stat(&self, name: &str) -> anyhow::Result<u64> {
        let text = self.get("/stats").await?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.map_or(Ok(0), |value| value.parse().with_context(|| format!("{name} is {value}, not a number")))
    }

    /// Where its admin endpoint is.
    #[must_use]
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Its process: pid, log, processor time.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The same, to see whether it has ended.
    pub fn process_mut(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Asks it to end and waits for that.
    ///
    /// # Errors
    /// It doesn't.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.process.stop(Duration::from_secs(5)).await
    }
}
