//! A replica inside the test's own process whose faults are switched by the test: a stand-in, not a function.
//!
//! A real function can be killed or stopped, and where that is the fault the tests do it to real `fib` processes. But
//! it can't be made to reset a connection in the middle of an answer, or to answer 503, or to fail with gRPC's
//! `unavailable`, on demand and at a known moment. [`Scripted`] can: it serves real HTTP/1.1 and h2c on a real socket,
//! does what [`Behaviour`] says, and writes down every execution with its `x-request-id` and headers.

mod answer;
mod behaviour;
mod frames;
mod ledger;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

pub use answer::{CHUNK_GAP, CHUNKS, REPLICA_HEADER};
pub use behaviour::Behaviour;
pub use frames::grpc_frame;
pub use ledger::{Execution, Ledger};
use wire::Closing;

/// A replica in this process.
#[derive(Debug)]
pub struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
    door: Mutex<Option<JoinHandle<()>>>,
}

/// What the replica and its connections share.
#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    behaviour: Mutex<(Behaviour, Instant)>,
    ledger: Ledger,
    closing: broadcast::Sender<Closing>,
}

impl Shared {
    /// What to do now, and since when.
    fn behaviour(&self) -> (Behaviour, Instant) {
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scripted {
    /// Starts to listen on `address` (port 0: any free one) and behaves well.
    ///
    /// # Errors
    /// The address can't be bound.
    pub async fn start(address: SocketAddr, behaviour: Behaviour) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            address,
            behaviour: Mutex::new((behaviour, Instant::now())),
            ledger: Ledger::default(),
            closing: broadcast::Sender::new(1),
        });
        let door = tokio::spawn(wire::accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, door: Mutex::new(Some(door)) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has executed.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    /// From now on, every request that arrives is treated like this.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = (behaviour, Instant::now());
    }

    /// Closes the port: connections finish what they are at and close, new ones are refused.
    pub async fn refuse(&self) {
        self.close_door().await;
        self.close_connections(Closing::WhenIdle);
    }

    /// What a killed process looks like: the port refuses and every connection is reset, whatever it was at.
    pub async fn die(&self) {
        self.close_door().await;
        self.close_connections(Closing::Reset);
    }

    /// Resets every connection (RST); new ones are welcome.
    pub fn reset_connections(&self) {
        self.close_connections(Closing::Reset);
    }

    /// Opens the port again after [`Scripted::refuse`] or [`Scripted::die`].
    ///
    /// # Errors
    /// Somebody else has taken the address.
    pub async fn come_back(&self) -> io::Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        let door = tokio::spawn(wire::accept(listener, Arc::clone(&self.shared)));
        *self.door.lock().unwrap_or_else(PoisonError::into_inner) = Some(door);
        Ok(())
    }

    async fn close_door(&self) {
        let door = self.door.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(door) = door {
            door.abort();
            // The listener is closed only when its task is gone. That it was aborted is no news.
            let _aborted = door.await;
        }
    }

    fn close_connections(&self, how: Closing) {
        // Nobody listens when no connection is open: nothing to close then.
        let _connections = self.shared.closing.send(how);
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if let Some(door) = self.door.lock().unwrap_or_else(PoisonError::into_inner).take() {
            door.abort();
        }
        self.close_connections(Closing::Reset);
    }
}
