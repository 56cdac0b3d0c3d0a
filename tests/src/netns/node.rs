//! One node: a namespace with one link to the bridge, which can go down and come back.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::BRIDGE;
use super::command::ip;
use crate::process::{Process, Program};

/// Where replicas listen on a node: each has an address of its own.
const PORT: u16 = 8080;

/// A namespace is made within milliseconds of its holder's start.
const START_PATIENCE: Duration = Duration::from_secs(5);

/// A node of a [`Network`](super::Network).
#[derive(Debug)]
pub struct Node {
    holder: Process,
    /// Its link's end at the bridge.
    link: String,
    address: Ipv4Addr,
}

impl Node {
    /// The node of this number, connected to the bridge.
    pub(super) fn start(number: u8) -> anyhow::Result<Self> {
        let host = number + 11;
        let holder = Program::new("unshare").args(["--net", "--", "sleep", "infinity"]).start()?;
        let node = Self { holder, link: format!("node{number}"), address: Ipv4Addr::new(10, 77, 0, host) };
        node.wait_until_apart()?;
        let (here, there, pid) = (&node.link, format!("02:00:00:00:00:{host:02x}"), node.pid());
        ip(
            None,
            &format!("link add {here} master {BRIDGE} type veth peer name eth0 address {there} netns {pid}"),
        )?;
        ip(None, &format!("link set {here} up"))?;
        ip(Some(pid), &format!("address add {}/24 dev eth0", node.address))?;
        ip(Some(pid), "link set lo up")?;
        ip(Some(pid), "link set eth0 up")?;
        // The address is known for good: else, some seconds after the node is lost, connecting to it would be refused
        // as "no route to host", while a lost node elsewhere in a data centre's network stays silent.
        let known = format!("lladdr {there} dev {BRIDGE} nud permanent");
        ip(None, &format!("neighbour replace {} {known}", node.address))?;
        Ok(node)
    }

    /// The holder was started as `unshare`; only once that has done its work it has another namespace than this one.
    fn wait_until_apart(&self) -> anyhow::Result<()> {
        let own = std::fs::read_link("/proc/self/ns/net")?;
        let started = Instant::now();
        while std::fs::read_link(format!("/proc/{}/ns/net", self.pid()))? == own {
            let log = self.holder.log_tail();
            anyhow::ensure!(started.elapsed() < START_PATIENCE, "no namespace for a node: {log}");
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// A process in its namespace.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.holder.pid()
    }

    /// Where a replica on it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((self.address, PORT))
    }

    /// The node is lost: what is sent to it is dropped without an answer, and it hears nothing.
    ///
    /// # Errors
    /// The link can't be taken down.
    pub fn lose(&self) -> anyhow::Result<()> {
        ip(Some(self.pid()), "link set eth0 down").map(drop)
    }

    /// The node is back, with all that ran on it.
    ///
    /// # Errors
    /// The link can't be brought up.
    pub fn bring_back(&self) -> anyhow::Result<()> {
        ip(Some(self.pid()), "link set eth0 up").map(drop)
    }
}

/// The link would go with the node's namespace, but some time later: another node may want its name at once.
impl Drop for Node {
    fn drop(&mut self) {
        // It may never have been made.
        let _ = ip(None, &format!("link delete {}", self.link));
    }
}
