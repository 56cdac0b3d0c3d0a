//! Connections to the API server that are gone without a word, as when a load balancer in between forgets them: no packet
//! of those that a pod has open gets through any more, new ones are as ever.

use std::fs;
use std::net::IpAddr;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::cluster::cgroup;
use crate::cluster::function::Replica;
use crate::cluster::machine::Machine;
use crate::cluster::running::Running;

/// The API server's port at its Service.
const API_PORT: u16 = 443;

/// What Linux calls an open connection.
const ESTABLISHED: &str = "01";

/// The connections of one pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Connections {
    node: String,
    pod: IpAddr,
    ports: Vec<u16>,
}

impl Connections {
    /// Those that a pod has open to the API server.
    pub(super) fn of(running: &Running, replica: &Replica) -> anyhow::Result<Self> {
        let pods = cgroup::pods(&running.records()?.folder().mark(), &replica.node);
        let containers = pods.iter().flat_map(|(_, pod)| pod.below());
        let own = containers.into_iter().find(|(container, _)| *container == replica.container);
        let process = own.and_then(|(_, group)| group.process());
        let process = process.with_context(|| format!("{} has no process", replica.pod))?;
        let table = format!("/proc/{process}/net/tcp");
        let table = fs::read_to_string(&table).with_context(|| format!("cannot read {table}"))?;
        let ports: Vec<u16> = table.lines().filter_map(open).collect();
        anyhow::ensure!(!ports.is_empty(), "{} has no connection to the API server", replica.pod);
        Ok(Self { node: replica.node.clone(), pod: replica.address().ip(), ports })
    }

    pub(super) fn silence(&self, running: &Running) -> anyhow::Result<()> {
        self.rules(&running.machine(&self.node)?, "-I")
    }

    pub(super) fn let_through(&self, running: &Running) -> anyhow::Result<()> {
        self.rules(&running.machine(&self.node)?, "-D")
    }

    fn rules(&self, node: &Machine, action: &str) -> anyhow::Result<()> {
        let pod = self.pod;
        for port in &self.ports {
            for way in
                [format!("-s {pod}/32 -p tcp --sport {port}"), format!("-d {pod}/32 -p tcp --dport {port}")]
            {
                let words = format!("--wait -t mangle {action} FORWARD {way} -j DROP");
                node.run("iptables", &words.split(' ').collect::<Vec<_>>())?;
            }
        }
        Ok(())
    }
}

/// The own port of an open connection to the API server, by a line as `0: 0202F40A:9C40 01000A0A:01BB 01 …`.
fn open(line: &str) -> Option<u16> {
    let mut fields = line.split_whitespace().skip(1);
    let (own, other, state) = (fields.next()?, fields.next()?, fields.next()?);
    let port = |address: &str| u16::from_str_radix(address.split_once(':')?.1, 16).ok();
    (port(other)? == API_PORT && state == ESTABLISHED).then(|| port(own)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_connections_to_the_api_server_are_told_from_others() {
        let line = |other: &str, state: &str| {
            format!(
                "   0: 0202F40A:9C40 01000A0A:{other} {state} 00000000:00000000 00:00000000 00000000 65532"
            )
        };
        assert_eq!(open(&line("01BB", "01")), Some(40_000));
        assert_eq!(open(&line("01BB", "06")), None, "it is closed already");
        assert_eq!(open(&line("1F90", "01")), None);
        assert_eq!(open("  sl  local_address rem_address   st tx_queue rx_queue"), None);
    }
}
