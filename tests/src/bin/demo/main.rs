//! `cargo demo`: replicas of a function are killed and frozen under load, without steadfaas and with each strategy.

mod cli;
mod script;
mod show;
mod table;
mod words;

use std::process::ExitCode;

use clap::Parser as _;
use cli::Cli;
use show::Show;
use steadfaas_tests::envoy;
use steadfaas_tests::trial::{print_json, take_turns};
use tokio::signal::unix::{SignalKind, signal};

/// What shells say of a program that was interrupted.
const INTERRUPTED: u8 = 130;

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    // The main thread starts all processes and outlives them; the others drive the load.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run_or_stop(&cli))
}

/// Runs until all is shown, or somebody has seen enough: then the run is dropped, and its processes end with it.
async fn run_or_stop(cli: &Cli) -> anyhow::Result<ExitCode> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        // Ctrl-C reaches the replicas too, so that the run fails at the same moment: that is not what is to be told.
        biased;
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        result = run(cli) => return result.map(|()| ExitCode::SUCCESS),
    }
    eprintln!("\nstopped; all that was started has been ended");
    Ok(ExitCode::from(INTERRUPTED))
}

async fn run(cli: &Cli) -> anyhow::Result<()> {
    let trials = cli.trials();
    eprintln!("{}", words::opening(&trials));
    let reports =
        take_turns::<Show>(&trials, |_, report| if cli.json { print_json(report) } else { Ok(()) }).await?;
    if !cli.json {
        println!("\n{}\n{}", table::of(&reports), words::LEGEND);
    }
    eprintln!("\n{}", words::next_steps(&envoy::newest()?));
    Ok(())
}
