//! `cargo faults`: what clients see of a fault, with steadfaas and with what there is otherwise; and what steadfaas
//! costs while all is well (`--steady`).

mod cli;
mod show;
mod table;
mod verdicts;

use anyhow::Context;
use clap::Parser as _;
use cli::{Cli, Plan};
use comfy_table::Table;
use serde::Serialize;
use show::Show;
use steadfaas_tests::goals::Run;
use steadfaas_tests::trial::{Trial, print_json, take_turns};
use steadfaas_tests::{envoy, netns, page, programs};
use xtask::functions::Function;

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let plan = if cli.all.all { Some(cli.plan()?) } else { None };
    let trials = plan.as_ref().map_or_else(|| cli.trials(), |plan| plan.trials.clone());
    if !cli.steady && trials.iter().any(Trial::loses_nodes) {
        let fib = (Function::Fib.variable(), programs::find(Function::Fib)?);
        let programs = [("STEADFAAS_ENVOY", envoy::newest()?), fib];
        netns::enter(&programs).context("a lost node needs network namespaces")?;
    }
    // The main thread starts all processes and outlives them; the others drive the load.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match plan {
            Some(plan) => run_all(&cli, &plan).await,
            None if cli.steady => measure(&cli).await,
            None => run(&cli, &trials).await,
        }
    })
}

/// Everything, held against the goals. What was measured is shown even where a later run fails.
async fn run_all(cli: &Cli, plan: &Plan) -> anyhow::Result<()> {
    let mut runs: Vec<Run> = Vec::new();
    let ended = take_turns::<Show>(&plan.trials, |index, report| {
        let Some(row) = plan.row_of.get(index).and_then(|row| plan.rows.get(*row)) else { return Ok(()) };
        let run = Run::of(row, report.clone(), &runs);
        if cli.json {
            print_json(&run)?;
        }
        runs.push(run);
        Ok(())
    })
    .await;
    if let Some(file) = &cli.all.page {
        let written = std::fs::write(file, page::of(&plan.rows, &runs));
        written.with_context(|| format!("{} can't be written", file.display()))?;
    }
    if !cli.json {
        println!("{}\n{}", verdicts::of(&plan.rows, &runs), verdicts::LEGEND);
    }
    ended.map(drop)
}

async fn run(cli: &Cli, trials: &[Trial]) -> anyhow::Result<()> {
    let reports =
        take_turns::<Show>(trials, |_, report| if cli.json { print_json(report) } else { Ok(()) }).await?;
    if !cli.json {
        println!("{}", table::of_reports(&reports));
    }
    Ok(())
}

async fn measure(cli: &Cli) -> anyhow::Result<()> {
    let Some(crowd) = cli.crowd() else {
        let steady = cli.steady()?;
        let show = Show::rounds(steady.rounds);
        let costs = steady.run(&mut |round| show.round(round)).await?;
        return print_costs(cli, &show, &costs, table::of_costs);
    };
    let show = Show::rounds(crowd.rounds);
    let costs = crowd.run(&mut |round| show.round(round)).await?;
    print_costs(cli, &show, &costs, table::of_crowd)
}

fn print_costs<C: Serialize>(
    cli: &Cli,
    show: &Show,
    costs: &[C],
    table: fn(&[C]) -> Table,
) -> anyhow::Result<()> {
    show.close();
    if cli.json {
        println!("{}", serde_json::to_string(costs)?);
    } else {
        println!("{}", table(costs));
    }
    Ok(())
}
