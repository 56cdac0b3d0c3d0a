//! `guestbook`: serves the function that keeps entries in Redis until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use guestbook::function::Guestbook;
use guestbook::store::Store;
use redis::ConnectionInfo;
use serving::parse_span;

/// A small HTTP function that keeps something: `POST /` with an entry's text adds it to a guestbook in Redis, once for
/// each `Idempotency-Key` (else `x-request-id`); `GET /?n=10` answers the newest entries. `/healthz` says whether Redis
/// answers, `/livez` only that it runs, `/stats` how often it has run. SIGTERM lets it finish what it is at.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", env = "GUESTBOOK_LISTEN")]
    listen: SocketAddr,
    /// Where Redis is: `redis://[user:password@]host[:port][/database]`
    #[arg(
        long,
        value_name = "URL",
        default_value = "redis://127.0.0.1:6379",
        env = "GUESTBOOK_REDIS",
        hide_env_values = true
    )]
    redis: ConnectionInfo,
    /// Time one request takes after its entry is stored; stands for what else a function does
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = parse_span, env = "GUESTBOOK_WORK")]
    work: Duration,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Cli { listen, redis, work } = Cli::parse();
    let guestbook = Guestbook::new(Store::at(redis).context("--redis")?, work);
    let listener = serving::listen(listen).with_context(|| format!("can't listen on {listen}"))?;
    serving::until_terminated(listener, move |request| Arc::clone(&guestbook).serve(request)).await?;
    Ok(())
}
