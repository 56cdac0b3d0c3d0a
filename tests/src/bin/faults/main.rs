//! `cargo faults`: what clients see of a fault, with steadfaas and with what there is otherwise; and what steadfaas
//! costs while all is well (`--steady`).

mod cli;
mod show;
mod table;

use anyhow::Context;
use clap::Parser as _;
use cli::Cli;
use show::Show;
use steadfaas_tests::trial::{Trial, print_json, take_turns};
use steadfaas_tests::{envoy, fib, netns};

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if !cli.steady && cli.trials().iter().any(Trial::loses_nodes) {
        let programs = [("STEADFAAS_ENVOY", envoy::newest()?), ("STEADFAAS_FIB", fib::binary()?)];
        netns::enter(&programs).context("a lost node needs network namespaces")?;
    }
    // The main thread starts all processes and outlives them; the others drive the load.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async { if cli.steady { measure(&cli).await } else { run(&cli).await } })
}

async fn run(cli: &Cli) -> anyhow::Result<()> {
    let trials = cli.trials();
    let reports =
        take_turns::<Show>(&trials, |_, report| if cli.json { print_json(report) } else { Ok(()) }).await?;
    if !cli.json {
        println!("{}", table::of_reports(&reports));
    }
    Ok(())
}

async fn measure(cli: &Cli) -> anyhow::Result<()> {
    let steady = cli.steady()?;
    let show = Show::rounds(steady.rounds);
    let costs = steady.run(&mut |round| show.round(round)).await?;
    show.close();
    if cli.json {
        println!("{}", serde_json::to_string(&costs)?);
    } else {
        println!("{}", table::of_costs(&costs));
    }
    Ok(())
}
