//! The entries, in Redis.
//!
//! An entry is added by one command, a script, which Redis runs as a whole: it is stored under its key, or was before,
//! and what the caller is told is the same. That is what makes it safe to send the command again, by whoever: this
//! file after a broken connection, or steadfaas with the whole request. `ZADD NX` alone would need the text within the
//! member, so that one key could have two texts; `HSETNX` alone keeps no order, so that the newest entries could only be
//! had with all of them. Both do nothing the second time, and so does the script that is made of them.
//!
//! The order of entries is that of Redis' clock: the only one that all replicas have in common.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::io::tcp::TcpSettings;
use redis::{Client, Cmd, ConnectionInfo, FromRedisValue, RedisError, cmd};
use serde::Serialize;
use thiserror::Error;

const ADD: &str = include_str!("add.lua");
const NEWEST: &str = include_str!("newest.lua");

/// When each entry came, by its key. Braces: in a cluster of Redis both have to be on one node.
const TIMES: &str = "{guestbook}:times";

/// What it says, by its key.
const TEXTS: &str = "{guestbook}:texts";

/// How long a connection or an answer may take. Redis answers in well under a millisecond, so this is for machines that
/// do other things too; a probe of Kubernetes waits as long, unless it is told otherwise.
const PATIENCE: Duration = Duration::from_secs(1);

/// After which time without a word a connection counts as broken: the host of a Redis that vanished says nothing.
const SILENCE: Duration = Duration::from_secs(2);

/// The guestbook's place in Redis.
#[derive(Debug, Clone)]
pub struct Store {
    address: String,
    connection: ConnectionManager,
}

/// Redis isn't there, is silent, or refuses.
#[derive(Debug, Error)]
#[error("Redis at {address} doesn't do as it was asked")]
pub struct StoreError {
    address: String,
    source: RedisError,
}

/// What is written in a guestbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When it came, in milliseconds since the Unix epoch by Redis' clock.
    pub at_ms: u64,
    /// What it says.
    pub text: String,
}

/// A guestbook, as far as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// How many entries it has.
    pub count: u64,
    /// The newest of them, newest first.
    pub newest: Vec<Entry>,
}

impl Store {
    /// The one at this address. Nothing is connected yet, so Redis may come later.
    ///
    /// # Errors
    /// What the address asks for can't be done.
    pub fn at(address: ConnectionInfo) -> Result<Self, StoreError> {
        let text = address.addr().to_string();
        let tcp = TcpSettings::default().set_nodelay(true).set_user_timeout(SILENCE);
        // One try a command: `ask` makes the second one itself, and the client's next request is the third.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let client = Client::open(address.set_tcp_settings(tcp));
        match client.and_then(|client| client.get_connection_manager_lazy(config)) {
            Ok(connection) => Ok(Self { address: text, connection }),
            Err(source) => Err(StoreError { address: text, source }),
        }
    }

    /// Adds an entry under this key, unless there is one; the one that is there then.
    ///
    /// # Errors
    /// Redis doesn't do it. Whether the entry is there nobody knows then: the same may be asked for again.
    pub async fn add(&self, key: &str, text: &str) -> Result<Entry, StoreError> {
        let reply = self.ask(script(ADD).arg(key).arg(text)).await?;
        Ok(entry(reply))
    }

    /// How many entries there are, and so many of the newest ones.
    ///
    /// # Errors
    /// Redis doesn't say.
    pub async fn newest(&self, most: u64) -> Result<Page, StoreError> {
        let (count, newest): (u64, Vec<(u64, String)>) = self.ask(script(NEWEST).arg(most)).await?;
        Ok(Page { count, newest: newest.into_iter().map(entry).collect() })
    }

    /// Whether Redis answers.
    ///
    /// # Errors
    /// It doesn't.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.ask(&cmd("PING")).await
    }

    /// Asks a second time where the connection was broken: that is how one learns that it is, and the manager connects
    /// anew only then. Every command here may run twice.
    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let mut connection = self.connection.clone();
        let reply = match command.query_async(&mut connection).await {
            Err(error) if error.is_io_error() => command.query_async(&mut connection).await,
            reply => reply,
        };
        reply.map_err(|source| StoreError { address: self.address.clone(), source })
    }
}

/// Both names are said beforehand, as a script has to.
fn script(text: &str) -> Cmd {
    let mut command = cmd("EVAL");
    command.arg(text).arg(2).arg(TIMES).arg(TEXTS);
    command
}

/// Scores are microseconds, so that entries of one millisecond keep their order.
fn entry((micros, text): (u64, String)) -> Entry {
    Entry { at_ms: micros / 1_000, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_asks_where_nobody_listens_is_told_where_that_is() {
        let store = Store::at("redis://127.0.0.1:1".parse().unwrap()).unwrap();
        let error = store.ping().await.unwrap_err();
        assert_eq!(error.to_string(), "Redis at 127.0.0.1:1 doesn't do as it was asked");
        assert!(error.source.is_connection_refusal(), "{:?}", error.source);
    }

    #[test]
    fn what_this_program_cannot_do_is_no_address() {
        assert!("rediss://127.0.0.1:1".parse::<ConnectionInfo>().is_err(), "it has no TLS");
    }
}
