//! `fib`: serves the sample function until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use fib::function::{Function, Options};
use fib::service_time::ServiceTime;
use fib::stats::Stats;
use serving::parse_span;

/// A small HTTP function: `GET /?n=15`, or `POST /` with n in the body, answers a Fibonacci number. `/healthz` says
/// that it is well, `/stats` what it has run. SIGTERM lets it finish what it is at.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", env = "FIB_LISTEN")]
    listen: SocketAddr,
    /// Time one request takes besides computing; stands for I/O
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = parse_span, env = "FIB_WORK")]
    work: Duration,
    /// Let that time differ from run to run: lognormal around --work, with this deviation of its logarithm
    #[arg(long, value_name = "SIGMA", default_value_t = 0.0, value_parser = spread)]
    spread: f64,
    /// What those times are drawn from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Serve `/slow` too, which takes this time
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    slow_work: Option<Duration>,
    /// How many requests run at once; others wait their turn [default: all]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    concurrency: Option<usize>,
    /// Write each change of the counts to this file, so that they outlive the process
    #[arg(long, value_name = "FILE")]
    counts_file: Option<PathBuf>,
    /// Let `POST /fault` make it misbehave, with words such as `slow=200ms&share=0.05&probes` or `answer=503`: for
    /// tests and benchmarks
    #[arg(long)]
    allow_faults: bool,
}

/// With a deviation of 2, one run in a hundred takes a hundred times the median: nothing is gained by more.
fn spread(text: &str) -> Result<f64, String> {
    let spread = text.parse().ok().filter(|spread| (0.0..=2.0).contains(spread));
    spread.ok_or_else(|| "a number from 0 to 2 is needed".to_owned())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "a whole number from 1 is needed".to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let stats = Stats::new(cli.counts_file.as_deref()).context("the file for the counts can't be written")?;
    let options = Options {
        work: ServiceTime { median: cli.work, spread: cli.spread, seed: cli.seed },
        slow_work: cli.slow_work,
        concurrency: cli.concurrency,
        allow_faults: cli.allow_faults,
    };
    let listener = serving::listen(cli.listen).with_context(|| format!("can't listen on {}", cli.listen))?;
    let function = Function::new(options, stats);
    serving::until_terminated(listener, move |request| Arc::clone(&function).serve(request)).await?;
    Ok(())
}
