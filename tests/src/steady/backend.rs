//! What answers: an Envoy that says 200 itself, at two addresses, cheaper than any function.

use std::net::SocketAddr;

use crate::envoy::{Envoy, Launch, newest};
use crate::{peers, ports};

const TEMPLATE: &str = include_str!("../../peers/envoy-backend.yaml");

pub(super) struct Backend {
    _envoy: Envoy,
    addresses: [SocketAddr; 2],
}

impl Backend {
    pub(super) async fn start(core: usize) -> anyhow::Result<Self> {
        let addresses = [ports::free_address(), ports::free_address()];
        let [first, second] = addresses;
        let admin = ports::free_address();
        let bootstrap = peers::fill(TEMPLATE, &[("admin", admin), ("first", first), ("second", second)]);
        let mut launch = Launch::new(newest()?, admin);
        launch.core = Some(core);
        Ok(Self { _envoy: launch.start_text(&bootstrap, ".yaml").await?, addresses })
    }

    pub(super) fn addresses(&self) -> [SocketAddr; 2] {
        self.addresses
    }
}
