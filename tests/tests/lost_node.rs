//! A node that is lost is silent: nothing is refused, and nothing is said to be unreachable.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use steadfaas_tests::fib::{Options, Replica};
use steadfaas_tests::netns::{Network, enter_for_test};

/// Longer than the kernel remembers where a neighbour was before it asks again: after that a network would say that
/// there is no such host.
const LONG: Duration = Duration::from_secs(12);

/// Silence of this length is taken for silence.
const SHORT: Duration = Duration::from_millis(300);

/// What is lost while a link comes up is sent again after a second, and after two more.
const PATIENCE: Duration = Duration::from_secs(10);

fn connect(address: SocketAddr, within: Duration) -> Result<(), ErrorKind> {
    TcpStream::connect_timeout(&address, within).map(drop).map_err(|error| error.kind())
}

#[tokio::test]
async fn a_lost_node_is_silent_for_long_and_can_come_back() {
    if !enter_for_test("a_lost_node_is_silent_for_long_and_can_come_back").unwrap() {
        return;
    }
    let network = Network::with_nodes(2).unwrap();
    let [lost, other] = network.nodes() else { panic!("two nodes were asked for") };
    let on = |pid| Options { net_of: Some(pid), ..Options::default() };
    let _one = Replica::start_at(lost.address(), &on(lost.pid())).await.unwrap();
    let _two = Replica::start_at(other.address(), &on(other.pid())).await.unwrap();

    lost.lose().unwrap();
    assert_eq!(connect(lost.address(), SHORT), Err(ErrorKind::TimedOut));
    assert_eq!(connect(other.address(), SHORT), Ok(()));
    tokio::time::sleep(LONG).await;
    assert_eq!(connect(lost.address(), SHORT), Err(ErrorKind::TimedOut), "still silent, not unreachable");

    lost.bring_back().unwrap();
    assert_eq!(connect(lost.address(), PATIENCE), Ok(()));
}
