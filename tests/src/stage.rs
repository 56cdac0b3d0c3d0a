//! A stage for a single test: a real Envoy in front of protected functions whose replicas are scripted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use steadfaas::standalone::Module;

use crate::bootstrap::Bootstrap;
use crate::client::Ask;
use crate::envoy::{self, Envoy};
use crate::metrics::Metrics;
use crate::ports;
use crate::scripted::{Behaviour, Scripted};

/// What a view or a metric may take: a fraction of a second, and the rest for a machine that compiles meanwhile.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a replica takes for a request.
const WORK: Duration = Duration::from_millis(5);

/// A function with scripted replicas.
#[derive(Debug)]
pub struct Function {
    /// Its name; its host is `<name>.test`.
    pub name: String,
    /// Its replicas.
    pub replicas: Vec<Scripted>,
    /// Its settings, line by line.
    settings: String,
}

impl Function {
    /// A function with that many replicas and these settings, such as `strategy: retry`; several are separated by `;`.
    ///
    /// # Errors
    /// A replica can't listen.
    pub async fn new(name: &str, replicas: usize, settings: &str) -> anyhow::Result<Self> {
        let mut function =
            Self { name: name.to_owned(), replicas: Vec::new(), settings: settings.to_owned() };
        for _ in 0..replicas {
            let replica = Scripted::start(ports::free_address(), Behaviour::Well(WORK)).await?;
            function.replicas.push(replica);
        }
        Ok(function)
    }

    /// The host that its clients ask for.
    #[must_use]
    pub fn host(&self) -> String {
        format!("{}.test", self.name)
    }

    /// A GET for it.
    #[must_use]
    pub fn get(&self, path: &str) -> Ask {
        Ask::get(&self.host(), path)
    }

    /// A POST for it, without key.
    #[must_use]
    pub fn post(&self, path: &str, body: impl Into<bytes::Bytes>) -> Ask {
        Ask::post(&self.host(), path, body)
    }

    /// Executions of all its replicas.
    #[must_use]
    pub fn executions(&self) -> usize {
        self.replicas.iter().map(|replica| replica.ledger().count()).sum()
    }

    /// How often it ran each request.
    #[must_use]
    pub fn runs(&self) -> BTreeMap<String, u32> {
        let mut runs = BTreeMap::new();
        for replica in &self.replicas {
            replica.ledger().count_by_id(&mut runs);
        }
        runs
    }

    /// Forgets what it has run.
    pub fn forget(&self) {
        self.replicas.iter().for_each(|replica| replica.ledger().clear());
    }

    /// Its entry in the functions file.
    ///
    /// # Errors
    /// None in practice: text is written to memory.
    pub fn entry(&self) -> Result<String, std::fmt::Error> {
        entry(&self.name, self.replicas.iter().map(Scripted::address), &self.settings)
    }
}

/// A function's entry in the functions file; `settings` are separated by `;`.
///
/// # Errors
/// None in practice: text is written to memory.
pub fn entry(
    name: &str,
    replicas: impl Iterator<Item = SocketAddr>,
    settings: &str,
) -> Result<String, std::fmt::Error> {
    let replicas: Vec<_> = replicas.map(|address| address.to_string()).collect();
    let mut entry = format!("- name: {name}\n  host: {name}.test\n");
    writeln!(entry, "  replicas: [{}]", replicas.join(", "))?;
    for setting in settings.split(';').map(str::trim) {
        writeln!(entry, "  {setting}")?;
    }
    Ok(entry)
}

/// The bootstrap for `functions`, for the newest Envoy.
///
/// # Errors
/// A setting is wrong.
pub fn bootstrap(functions: &[&Function]) -> anyhow::Result<Bootstrap> {
    bootstrap_with(functions, Module::Shipped)
}

/// The same with another module.
///
/// # Errors
/// A setting is wrong, or the module can't be read.
pub fn bootstrap_with(functions: &[&Function], module: Module) -> anyhow::Result<Bootstrap> {
    let mut file = "functions:\n".to_owned();
    for function in functions {
        file.push_str(&function.entry()?);
    }
    Bootstrap::with_module(&file, xtask::envoy::NEWEST, module)
}

/// A running Envoy.
#[derive(Debug)]
pub struct Stage {
    /// The proxy.
    pub envoy: Envoy,
    /// Where clients go.
    pub target: SocketAddr,
}

impl Stage {
    /// Starts the newest Envoy with one worker.
    ///
    /// # Errors
    /// It doesn't come up.
    pub async fn open(bootstrap: &Bootstrap) -> anyhow::Result<Self> {
        Ok(Self { envoy: bootstrap.start(&envoy::newest()?, 1).await?, target: bootstrap.listen })
    }

    /// Starts it for `functions` as rendered, and waits until the filter knows their replicas; they have run nothing
    /// then.
    ///
    /// # Errors
    /// It doesn't come up, or learns nothing of a replica.
    pub async fn with(functions: &[&Function]) -> anyhow::Result<Self> {
        let stage = Self::open(&bootstrap(functions)?).await?;
        for function in functions {
            stage.wait_for_view(function).await?;
        }
        Ok(stage)
    }

    /// Sends requests until the filter knows the function's replicas, and lets the replicas forget these requests.
    ///
    /// # Errors
    /// It doesn't learn of them.
    pub async fn wait_for_view(&self, function: &Function) -> anyhow::Result<()> {
        self.wait_until_known(&function.name, function.replicas.len()).await?;
        function.forget();
        Ok(())
    }

    /// Sends requests until the filter finds that many replicas of the function called `name` well.
    ///
    /// # Errors
    /// It doesn't.
    pub async fn wait_until_known(&self, name: &str, replicas: usize) -> anyhow::Result<()> {
        let count = u64::try_from(replicas).ok();
        let waited = Instant::now();
        while Metrics::of(&self.envoy).await?.get("replicas_well", name) != count {
            anyhow::ensure!(waited.elapsed() < PATIENCE, "the filter never sees the replicas of {name}");
            // In the protocol that any function here can answer.
            Ask::get(&format!("{name}.test"), "/").send(self.target).await?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// A metric of a function.
    ///
    /// # Errors
    /// Envoy doesn't answer.
    pub async fn metric(&self, function: &Function, name: &str) -> anyhow::Result<Option<u64>> {
        Ok(Metrics::of(&self.envoy).await?.get(name, &function.name))
    }

    /// Waits until `holds` of the metrics: they are written a tick after the requests.
    ///
    /// # Errors
    /// It never holds; the message has the metrics.
    pub async fn wait_for(&self, holds: impl Fn(&Metrics) -> bool) -> anyhow::Result<()> {
        let waited = Instant::now();
        loop {
            let metrics = Metrics::of(&self.envoy).await?;
            if holds(&metrics) {
                return Ok(());
            }
            anyhow::ensure!(waited.elapsed() < PATIENCE, "the metrics never say so:\n{}", metrics.text());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends `count` GETs to the function, one after the other. All have to be answered with 200.
    ///
    /// # Errors
    /// One isn't.
    pub async fn all_answer(&self, function: &Function, count: usize) -> anyhow::Result<()> {
        for number in 0..count {
            let reply =
                function.get("/").send(self.target).await.with_context(|| format!("request {number}"))?;
            let text = reply.text();
            anyhow::ensure!(reply.status == 200, "request {number} gets {}: {text}", reply.status);
        }
        Ok(())
    }

    /// Ends Envoy and reads everything that it logged: access logs are written at its end at the latest.
    ///
    /// # Errors
    /// It doesn't end.
    pub async fn close_and_read_log(self) -> anyhow::Result<String> {
        let mut log = std::fs::File::open(self.envoy.process().log_path())?;
        self.envoy.stop().await?;
        Ok(std::io::read_to_string(&mut log)?)
    }
}

/// The module whose requests panic when asked: `$STEADFAAS_FILTER_PANICS_WASM`, else a freshly built one.
///
/// # Errors
/// It can't be built.
pub fn panicking_module() -> anyhow::Result<PathBuf> {
    match std::env::var_os("STEADFAAS_FILTER_PANICS_WASM") {
        Some(path) => Ok(path.into()),
        None => xtask::module::build_panicking_filter(),
    }
}
