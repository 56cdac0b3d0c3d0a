//! Hosts that can be lost: a network namespace for each replica's node, none of which leads anywhere else.
//!
//! The command runs itself again inside a fresh namespace ([`enter`]), so that nothing of the machine's own network is
//! touched and all of it is gone when the process ends. There is a bridge, and each [`Node`] is a namespace behind it
//! that a sleeping child holds.

mod command;
mod node;

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use command::ip;
pub use node::Node;

/// Says that the process was started by [`enter`], and from which namespace.
const OUTSIDE: &str = "STEADFAAS_OUTSIDE";

/// The bridge's name and hardware address. That is set by hand, as a bridge else takes on one of its ports'.
const BRIDGE: &str = "steadfaas0";
const BRIDGE_MAC: &str = "02:00:00:00:00:01";

/// A pair of links of the bridge that are always up.
const KEEPER: &str = "keeper";

/// The bridge's address: the proxy and its clients are there. Node i has `10.77.0.(i + 11)`.
const BRIDGE_NET: &str = "10.77.0.1/24";

/// Makes this process one within a network namespace of its own, by starting it again with the same arguments and
/// `variables` added to its environment: paths of programs, as nothing can be fetched there. Does nothing there. To be
/// called before any thread is started.
///
/// # Errors
/// The system doesn't allow it (it needs root, or user namespaces), or there is no `unshare`.
pub fn enter(variables: &[(&str, PathBuf)]) -> anyhow::Result<()> {
    if is_inside()? {
        return bring_loopback_up();
    }
    let variables = variables.iter().map(|(name, value)| (name, value));
    let error = inside()?.args(std::env::args_os().skip(1)).envs(variables).exec();
    Err(error).context("no network namespace can be made: `unshare` can't be started")
}

/// Runs the test `name` of this test program again, within a network namespace of its own; true there, where the
/// test goes on, and false, once it has passed there, outside.
///
/// # Errors
/// It failed there.
pub fn enter_for_test(name: &str) -> anyhow::Result<bool> {
    if is_inside()? {
        return bring_loopback_up().map(|()| true);
    }
    let output =
        inside()?.args([name, "--exact", "--nocapture"]).output().context("unshare can't be started")?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{name} failed in its network namespace:\n{said}");
    Ok(false)
}

/// In a fresh namespace it is down, and what doesn't run on a node is there.
fn bring_loopback_up() -> anyhow::Result<()> {
    ip(None, "link set lo up").map(drop)
}

fn is_inside() -> anyhow::Result<bool> {
    let outside = std::env::var(OUTSIDE).unwrap_or_default();
    Ok(!outside.is_empty() && outside != this_namespace()?)
}

/// This program, in a fresh network namespace; who isn't root gets a user namespace too, in which they are.
fn inside() -> anyhow::Result<Command> {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--"]).arg(std::env::current_exe()?).env(OUTSIDE, this_namespace()?);
    Ok(command)
}

fn this_namespace() -> anyhow::Result<String> {
    let link = std::fs::read_link("/proc/self/ns/net").context("this system has no network namespaces")?;
    Ok(link.to_string_lossy().into_owned())
}

/// The bridge in this process's namespace, and the nodes behind it.
#[derive(Debug)]
pub struct Network {
    nodes: Vec<Node>,
}

impl Network {
    /// A network of `count` nodes.
    ///
    /// # Errors
    /// This process is not in a namespace of its own ([`enter`]), or something leads out of it.
    pub fn with_nodes(count: u8) -> anyhow::Result<Self> {
        anyhow::ensure!(is_inside()?, "this process is not in a network namespace of its own");
        ip(None, &format!("link add {BRIDGE} address {BRIDGE_MAC} type bridge"))?;
        ip(None, &format!("address add {BRIDGE_NET} dev {BRIDGE}"))?;
        ip(None, &format!("link set {BRIDGE} up"))?;
        // With a port that is always up, the bridge doesn't go down with the last node.
        ip(None, &format!("link add {KEEPER} master {BRIDGE} type veth peer name {KEEPER}-end"))?;
        ip(None, &format!("link set {KEEPER} up"))?;
        ip(None, &format!("link set {KEEPER}-end up"))?;
        let nodes = (0..count).map(Node::start).collect::<anyhow::Result<_>>()?;
        let network = Self { nodes };
        network.assert_closed()?;
        Ok(network)
    }

    /// Its nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// No load may leave the machine: nothing here has a route to anywhere but the bridge.
    fn assert_closed(&self) -> anyhow::Result<()> {
        let holders = self.nodes.iter().map(|node| Some(node.pid()));
        for holder in holders.chain([None]) {
            for family in ["-4", "-6"] {
                let routes = ip(holder, &format!("{family} route show default"))?;
                anyhow::ensure!(
                    routes.trim().is_empty(),
                    "a namespace for tests has a default route: {routes}"
                );
            }
        }
        Ok(())
    }
}

/// The bridge would go with this process, but that may make another network first.
impl Drop for Network {
    fn drop(&mut self) {
        for link in [BRIDGE, KEEPER] {
            // What can't be removed goes with the namespace.
            let _ = ip(None, &format!("link delete {link}"));
        }
    }
}
