//! The programs that are shipped, and a proxy that is set up with nothing else.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use steadfaas_tests::envoy::{self, Envoy, Launch};
use steadfaas_tests::{http, ports, programs};
use tempfile::TempDir;
use xtask::functions::Function;
use xtask::supplies::{self, Supply};

/// The first answer comes some hundred milliseconds after Envoy's start; the rest is for a machine that compiles.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// Workers of Envoy: two, so that they have to share what they know.
pub const WORKERS: u32 = 2;

/// Makes sure that every program is there: nothing can be fetched from within a network namespace.
///
/// # Errors
/// One can't be had.
pub fn ensure() -> anyhow::Result<()> {
    steadfaas()?;
    programs::find(Function::Fib)?;
    envoy::newest()?;
    Ok(())
}

/// The `steadfaas` program: `$STEADFAAS_BIN`, else a freshly built one.
///
/// # Errors
/// It can't be built.
pub fn steadfaas() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("STEADFAAS_BIN") {
        return Ok(path.into());
    }
    if std::env::var_os(Supply::Module.variable()).is_none() {
        // It is built into the program.
        xtask::module::build_filter()?;
    }
    supplies::build("steadfaas", "steadfaas")
}

/// An Envoy that was set up as the README says: a functions file, `steadfaas standalone`, `envoy -c` with exact
/// timers.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    envoy: Envoy,
}

impl Proxy {
    /// Sets it up for the functions of this file and waits until a replica answers through it.
    ///
    /// # Errors
    /// `steadfaas` refuses the file, Envoy doesn't start, or nothing answers.
    pub async fn start(functions: &str) -> anyhow::Result<Self> {
        let (address, admin) = (ports::free_address(), ports::free_address());
        let bootstrap = standalone(functions, address, admin)?;
        let launch = Launch::new(envoy::newest()?, admin).workers(WORKERS).exact_timers(true);
        let envoy = launch.start_text(&bootstrap, ".yaml").await?;
        let mut proxy = Self { address, envoy };
        http::wait_until_well(address, "/healthz", proxy.envoy.process_mut(), START_PATIENCE).await?;
        Ok(proxy)
    }

    /// Where clients go.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many good answers of this replica Envoy has received.
    ///
    /// # Errors
    /// Envoy's admin endpoint doesn't say.
    pub async fn answers_of(&self, replica: SocketAddr) -> anyhow::Result<u64> {
        let text = self.envoy.get("/clusters").await?;
        let name = format!("::{replica}::rq_success::");
        let count = text.lines().find_map(|line| line.split_once(&name)).map(|(_, count)| count);
        Ok(count.with_context(|| format!("Envoy doesn't know the replica {replica}"))?.parse()?)
    }
}

/// What `steadfaas standalone` makes of the functions file, for an Envoy that is started here.
fn standalone(functions: &str, listen: SocketAddr, admin: SocketAddr) -> anyhow::Result<String> {
    let (listen, admin, workers) = (listen.to_string(), admin.to_string(), WORKERS.to_string());
    run_standalone(
        functions,
        "envoy.yaml",
        &["--listen", &listen, "--admin", &admin, "--concurrency", &workers],
    )
}

/// What it makes of the file for the newest Envoy, wherever that is; clients are told what was done for them.
///
/// # Errors
/// `steadfaas` can't be had, or refuses the file.
pub fn render(functions: &str) -> anyhow::Result<serde_json::Value> {
    let newest = ["--envoy-version", xtask::envoy::NEWEST, "--response-header"];
    Ok(serde_json::from_str(&run_standalone(functions, "envoy.json", &newest)?)?)
}

fn run_standalone(functions: &str, output: &str, args: &[&str]) -> anyhow::Result<String> {
    let folder = TempDir::with_prefix("steadfaas-e2e-")?;
    let (file, bootstrap) = (folder.path().join("functions.yaml"), folder.path().join(output));
    fs::write(&file, functions)?;
    let output = Command::new(steadfaas()?)
        .arg("standalone")
        .arg(&file)
        .args(args)
        .arg("-o")
        .arg(&bootstrap)
        .output()
        .context("steadfaas can't be started")?;
    let error = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "steadfaas standalone failed: {}", error.trim());
    Ok(fs::read_to_string(&bootstrap)?)
}
