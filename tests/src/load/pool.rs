//! Keep-alive connections of a load: the one used last is used next, a new one is opened when none is free.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use super::connection::{Connection, Ended, Order};
use crate::record::Got;

pub(super) struct Pool {
    target: SocketAddr,
    free: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(super) fn new(target: SocketAddr) -> Self {
        Self { target, free: Mutex::new(Vec::new()) }
    }

    /// Opens `count` connections, without any request on them.
    pub(super) async fn warm_up(&self, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            self.put(Connection::open(self.target).await?);
        }
        Ok(())
    }

    /// What a request gets, and the connection it was on, if that may carry another one.
    pub(super) async fn send(&self, order: &Order, index: usize) -> (Ended, Option<Connection>) {
        let open = match self.take() {
            Some(connection) => Ok(connection),
            None => Connection::open(self.target).await,
        };
        let Ok(mut connection) = open else { return (Got::Reset.into(), None) };
        let ended = connection.send(order, index).await;
        let again = matches!(ended.got, Got::Answer(_)).then_some(connection);
        (ended, again)
    }

    /// Takes a connection back as soon as it is free again, which its own task says a moment after the answer.
    pub(super) async fn give_back(&self, mut connection: Connection) {
        if connection.becomes_free().await {
            self.put(connection);
        }
    }

    /// The first that is still open and free; broken ones are forgotten.
    fn take(&self) -> Option<Connection> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| free.pop()).find(Connection::is_free)
    }

    fn put(&self, connection: Connection) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}
