//! The listening socket.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// How many connections may wait to be accepted: as many as Linux allows unless it is told otherwise, and what Go asks
/// for, in which the proxies in front of functions are written (Knative's queue-proxy, OpenFaaS' of-watchdog). A
/// shorter queue makes a stall look like a lost node to those that come late.
const BACKLOG: u32 = 4096;

/// Listens there.
///
/// # Errors
/// The address isn't this machine's, or somebody else listens there.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A function that is started anew takes its port over from connections that are still being closed.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
