//! A real Redis as a process on a free loopback port. What it is told it keeps in memory only.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::ports;
use crate::process::{Process, Program, in_path};

/// It listens after some milliseconds; the rest is for a machine that compiles meanwhile.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// It answers within a millisecond; the rest is for such a machine too.
const PATIENCE: Duration = Duration::from_secs(10);

/// A Redis. It is ended when dropped.
#[derive(Debug)]
pub struct Redis {
    program: Program,
    process: Process,
    address: SocketAddr,
    /// Where it would write, if it did.
    _folder: TempDir,
}

impl Redis {
    /// Starts an empty one.
    ///
    /// # Errors
    /// There is no such program, or it doesn't come up.
    pub async fn start() -> anyhow::Result<Self> {
        let name = xtask::redis::PROGRAM;
        anyhow::ensure!(in_path(name), "there is no `{name}` in PATH; Debian's package is called the same");
        let (address, folder) = (ports::free_address(), TempDir::with_prefix("redis-")?);
        let program = Program::new(name)
            .args(["--bind", &address.ip().to_string(), "--port", &address.port().to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(folder.path());
        let process = program.start()?;
        let mut redis = Self { program, process, address, _folder: folder };
        redis.wait_until_well().await?;
        Ok(redis)
    }

    async fn wait_until_well(&mut self) -> anyhow::Result<()> {
        let address = self.address;
        self.process.wait_until_well(START_PATIENCE, || async { ask(address, "PING").await.is_ok() }).await
    }

    /// Where it listens, as the guestbook is told.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Kills it: what it held is gone.
    ///
    /// # Errors
    /// It can't be.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()
    }

    /// Starts an empty one in its place.
    ///
    /// # Errors
    /// It doesn't come up.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.process = self.program.start()?;
        self.wait_until_well().await
    }

    /// What it answers to a command in words, on a connection of its own.
    ///
    /// # Errors
    /// It doesn't answer, or says that something is wrong.
    pub async fn ask(&self, command: &str) -> anyhow::Result<String> {
        ask(self.address, command).await
    }

    /// How often it has run a command of this name, from within scripts too.
    ///
    /// # Errors
    /// It doesn't answer.
    pub async fn calls(&self, command: &str) -> anyhow::Result<u64> {
        calls(&self.ask("INFO commandstats").await?, command)
    }
}

async fn ask(address: SocketAddr, command: &str) -> anyhow::Result<String> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        // It closes the connection then, which says that the answer is whole.
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).await?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await?;
        anyhow::Ok(reply)
    };
    let reply = tokio::time::timeout(PATIENCE, exchange).await.context("Redis is silent")??;
    parse(&reply).with_context(|| format!("Redis answers {reply:?} to {command}"))
}

/// How often a Redis has run a command of this name, by what it says to `INFO commandstats`.
///
/// # Errors
/// It says something else.
pub fn calls(statistics: &str, command: &str) -> anyhow::Result<u64> {
    let start = format!("cmdstat_{command}:calls=");
    let calls = statistics.lines().find_map(|line| line.strip_prefix(&start)?.split(',').next());
    Ok(calls.unwrap_or("0").parse()?)
}

/// Of its answers to one command and QUIT the first one: a number, a word or a text.
fn parse(reply: &str) -> Option<String> {
    let (line, rest) = reply.split_once("\r\n")?;
    match line.split_at_checked(1)? {
        (":" | "+", word) => Some(word.to_owned()),
        ("$", length) => rest.get(..length.parse().ok()?).map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_was_never_run_is_not_among_the_statistics() {
        let statistics =
            "# Commandstats\r\ncmdstat_hset:calls=1,usec=5\r\ncmdstat_hsetnx:calls=12,usec=9\r\n";
        assert_eq!(calls(statistics, "hsetnx").unwrap(), 12);
        assert_eq!(calls(statistics, "zadd").unwrap(), 0);
    }

    #[test]
    fn the_first_answer_is_taken_and_an_error_is_none() {
        assert_eq!(parse(":12\r\n+OK\r\n"), Some("12".to_owned()));
        assert_eq!(parse("+PONG\r\n+OK\r\n"), Some("PONG".to_owned()));
        assert_eq!(parse("$4\r\na\r\nb\r\n+OK\r\n"), Some("a\r\nb".to_owned()));
        assert_eq!(parse("-ERR unknown command\r\n+OK\r\n"), None);
        assert_eq!(parse(""), None);
    }
}
