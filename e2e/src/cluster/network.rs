//! The network of the cluster: a bridge on the control plane's machine, a link to each node, and no way out.

use std::net::Ipv4Addr;

use super::machine::Machine;

/// The bridge on the control plane's machine; the machine has its address.
const BRIDGE: &str = "bridge0";

/// The control plane's machine.
pub const CONTROL: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// Where Services are.
pub const SERVICES: &str = "10.96.0.0/16";

/// The API server's own Service: the first address of [`SERVICES`].
pub const API_SERVICE: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 1);

/// The DNS server's Service.
pub const DNS_SERVICE: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 10);

/// Where pods are.
pub const PODS: &str = "10.244.0.0/16";

/// The address of the node of this number, from 1 on.
#[must_use]
pub fn node_address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, 10 + number)
}

/// Where the pods of the node of this number are.
#[must_use]
pub fn pods_of(number: u8) -> String {
    format!("10.244.{number}.0/24")
}

/// Makes the bridge, and the API server's Service an address of the machine itself.
///
/// # Errors
/// The system doesn't allow it.
pub fn set_up_control(control: &Machine) -> anyhow::Result<()> {
    control.ip(&format!("link add {BRIDGE} type bridge"))?;
    control.ip(&format!("address add {CONTROL}/24 dev {BRIDGE}"))?;
    control.ip(&format!("address add {API_SERVICE}/32 dev lo"))?;
    control.ip(&format!("link set {BRIDGE} up"))?;
    Ok(())
}

/// Connects the node of this number, of `count` in all, to the bridge, by a link of its name.
///
/// # Errors
/// The system doesn't allow it.
pub fn connect(control: &Machine, node: &Machine, number: u8, count: u8) -> anyhow::Result<()> {
    let (link, address) = (node.name(), node_address(number));
    control.ip(&format!("link add {link} type veth peer name eth0 netns {}", node.pid()))?;
    control.ip(&format!("link set {link} master {BRIDGE} up"))?;
    node.ip(&format!("address add {address}/24 dev eth0"))?;
    node.ip("link set eth0 up")?;
    control.ip(&format!("route add {} via {address}", pods_of(number)))?;
    // Programs of the node itself need some route to a Service before kube-proxy can lead them elsewhere.
    node.ip(&format!("route add {SERVICES} via {CONTROL}"))?;
    for other in (1..=count).filter(|other| *other != number) {
        node.ip(&format!("route add {} via {}", pods_of(other), node_address(other)))?;
    }
    Ok(())
}

/// Nothing may leave the machine: no namespace has a route to anywhere but the cluster.
///
/// # Errors
/// One has.
pub fn assert_closed<'a>(machines: impl IntoIterator<Item = &'a Machine>) -> anyhow::Result<()> {
    for machine in machines {
        for family in ["-4", "-6"] {
            let routes = machine.ip(&format!("{family} route show default"))?;
            let name = machine.name();
            anyhow::ensure!(routes.trim().is_empty(), "{name} has a default route: {}", routes.trim());
        }
    }
    Ok(())
}
