//! A way to an HTTP endpoint that isn't for everybody: within a network of the cluster's, or through the API server.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context as _, anyhow};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use steadfaas_tests::http;

use super::kubectl::Kubectl;

/// A way to it; it is closed when dropped.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    network: Option<PathBuf>,
    forward: Option<Child>,
}

impl Endpoint {
    /// A port that is listened to on the loopback of a network: its namespace, as a file.
    #[must_use]
    pub fn within(network: PathBuf, port: u16) -> Self {
        Self { address: (Ipv4Addr::LOCALHOST, port).into(), network: Some(network), forward: None }
    }

    /// A port on the loopback of a pod, by `kubectl port-forward`.
    ///
    /// # Errors
    /// kubectl can't forward it.
    pub fn forwarded(kubectl: &Kubectl, namespace: &str, pod: &str, port: u16) -> anyhow::Result<Self> {
        let mut command = kubectl.command();
        command.args(["port-forward", "--namespace", namespace, &format!("pod/{pod}"), &format!(":{port}")]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut forward = command.spawn().context("kubectl can't be started")?;
        let mut output = BufReader::new(forward.stdout.take().context("no pipe")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        // It tells of each connection; who doesn't listen any more ends it.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        let mut way =
            Self { address: (Ipv4Addr::LOCALHOST, port).into(), network: None, forward: Some(forward) };
        way.address = parse(&line).with_context(|| format!("kubectl port-forward says {line:?}"))?;
        Ok(way)
    }

    /// Where it is asked, by a thread that has [entered](enter) its network.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The network namespace from which it is asked, as a file; none: from here.
    #[must_use]
    pub fn network(&self) -> Option<&Path> {
        self.network.as_deref()
    }

    /// What it answers to a GET.
    ///
    /// # Errors
    /// It doesn't.
    pub fn get(&self, path: &str) -> anyhow::Result<String> {
        let ask = || {
            enter(self.network())?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(http::get(self.address, path)).map(|(_, text)| text)
        };
        let joined = std::thread::scope(|scope| scope.spawn(ask).join());
        joined.map_err(|_| anyhow!("the asking thread panicked"))?
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some(forward) = &mut self.forward {
            // It may have ended by itself.
            let _ = forward.kill();
            let _ = forward.wait();
        }
    }
}

/// From here on this thread, and those that it starts, are in this network; none: where they are.
///
/// # Errors
/// The namespace isn't there any more.
pub fn enter(network: Option<&Path>) -> anyhow::Result<()> {
    let Some(path) = network else { return Ok(()) };
    let namespace = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    Ok(move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?)
}

/// The address in `Forwarding from 127.0.0.1:40001 -> 15000`.
fn parse(line: &str) -> Option<SocketAddr> {
    line.strip_prefix("Forwarding from ")?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forwarded_port_is_read() {
        let address = parse("Forwarding from 127.0.0.1:40001 -> 15000\n").unwrap();
        assert_eq!(address.port(), 40001);
        assert_eq!(parse("error: no pod"), None);
    }
}
