//! `primes`: serves the function that looks for prime numbers until it is told to stop.

use std::net::SocketAddr;

use anyhow::Context;
use clap::Parser;

/// A small HTTP function that only computes: `GET /?n=1000`, or `POST /` with n in the body, answers the 1000th prime
/// number. `/healthz` says that it is well, `/stats` how often it has run. SIGTERM lets it finish what it is at.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", env = "PRIMES_LISTEN")]
    listen: SocketAddr,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Cli { listen } = Cli::parse();
    let listener = serving::listen(listen).with_context(|| format!("can't listen on {listen}"))?;
    serving::until_terminated(listener, primes::function::serve).await?;
    Ok(())
}
