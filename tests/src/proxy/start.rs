//! Starts a proxy in front of replicas.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;

use super::Choice;
use crate::bootstrap::Bootstrap;
use crate::envoy::{self, Envoy, Launch};
use crate::peers::{self, ENVOYS, Sockets};
use crate::process::{Process, Program, find_in_path};
use crate::{http, ports};

/// A proxy answers some hundred milliseconds after its start; the rest is for a machine that compiles meanwhile.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// What a proxy is started with, whichever it is.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The function's replicas.
    pub replicas: &'a [SocketAddr],
    /// Number of workers (threads).
    pub workers: u32,
    /// Timers of Envoys are exact, not the kernel's ticks as they are by themselves.
    pub exact_timers: bool,
}

/// A running proxy. It is ended when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    running: Running,
}

#[derive(Debug)]
enum Running {
    Envoy(Envoy),
    Other { process: Process, _files: TempDir },
}

impl Proxy {
    /// Starts the chosen proxy and waits until a replica answers through it.
    ///
    /// # Errors
    /// It can't be started, or nothing answers.
    pub async fn start(choice: &Choice, setting: Setting<'_>) -> anyhow::Result<Self> {
        let (address, running) = match choice {
            Choice::Steadfaas(annotations) => start_steadfaas(annotations, setting).await?,
            Choice::Envoy(name) => start_envoy(name, setting).await?,
            Choice::Haproxy => start_haproxy(setting)?,
            Choice::Nginx => start_nginx(setting)?,
        };
        let mut proxy = Self { address, running };
        // Health checks don't count as requests anywhere.
        http::wait_until_well(address, "/healthz", proxy.process_mut(), START_PATIENCE)
            .await
            .with_context(|| format!("{choice} doesn't come up"))?;
        Ok(proxy)
    }

    /// Where clients go.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process: pid, log, processor time.
    #[must_use]
    pub fn process(&self) -> &Process {
        match &self.running {
            Running::Envoy(envoy) => envoy.process(),
            Running::Other { process, .. } => process,
        }
    }

    fn process_mut(&mut self) -> &mut Process {
        match &mut self.running {
            Running::Envoy(envoy) => envoy.process_mut(),
            Running::Other { process, .. } => process,
        }
    }
}

async fn start_steadfaas(
    annotations: &[(String, String)],
    setting: Setting<'_>,
) -> anyhow::Result<(SocketAddr, Running)> {
    let functions = functions_file(annotations, setting.replicas);
    let bootstrap = Bootstrap::render(&functions, xtask::envoy::NEWEST)?;
    let launch = launch(bootstrap.admin, setting)?;
    let envoy = launch.start(&bootstrap.config).await?;
    Ok((bootstrap.listen, Running::Envoy(envoy)))
}

fn launch(admin: SocketAddr, setting: Setting<'_>) -> anyhow::Result<Launch> {
    let launch = Launch::new(envoy::newest()?, admin).workers(setting.workers);
    Ok(launch.exact_timers(setting.exact_timers))
}

/// A functions file with one function, that of these annotations.
pub(crate) fn functions_file(annotations: &[(String, String)], replicas: &[SocketAddr]) -> String {
    let replicas: Vec<String> = replicas.iter().map(ToString::to_string).collect();
    let settings: String = annotations.iter().map(|(key, value)| format!("  {key}: \"{value}\"\n")).collect();
    format!("functions:\n- name: fib\n  replicas: [{}]\n{settings}", replicas.join(", "))
}

async fn start_envoy(name: &str, setting: Setting<'_>) -> anyhow::Result<(SocketAddr, Running)> {
    let found = ENVOYS.iter().find(|(known, _)| *known == name);
    let (_, template) = found.with_context(|| format!("no configuration {name}"))?;
    let sockets = sockets(setting);
    let launch = launch(sockets.admin, setting)?;
    let envoy = launch.start_text(&peers::envoy(template, sockets), ".yaml").await?;
    Ok((sockets.listen, Running::Envoy(envoy)))
}

fn start_haproxy(setting: Setting<'_>) -> anyhow::Result<(SocketAddr, Running)> {
    let sockets = sockets(setting);
    let folder = TempDir::with_prefix("haproxy-")?;
    let file = write(&folder, "haproxy.cfg", &peers::haproxy(sockets, setting.workers))?;
    let process = Program::new(installed("haproxy")?).args(["-db", "-f"]).arg(file).start()?;
    Ok((sockets.listen, Running::Other { process, _files: folder }))
}

fn start_nginx(setting: Setting<'_>) -> anyhow::Result<(SocketAddr, Running)> {
    anyhow::ensure!(setting.workers == 1, "nginx is run with one worker here, in one process");
    let sockets = sockets(setting);
    let folder = TempDir::with_prefix("nginx-")?;
    let file = write(&folder, "nginx.conf", &peers::nginx(sockets, folder.path()))?;
    let process =
        Program::new(installed("nginx")?).arg("-p").arg(folder.path()).arg("-c").arg(file).start()?;
    Ok((sockets.listen, Running::Other { process, _files: folder }))
}

fn sockets(setting: Setting<'_>) -> Sockets<'_> {
    Sockets { listen: ports::free_address(), admin: ports::free_address(), replicas: setting.replicas }
}

fn installed(name: &str) -> anyhow::Result<PathBuf> {
    find_in_path(name).with_context(|| format!("{name} is not installed"))
}

fn write(folder: &TempDir, name: &str, text: &str) -> anyhow::Result<PathBuf> {
    let path = folder.path().join(name);
    std::fs::write(&path, text)?;
    Ok(path)
}
