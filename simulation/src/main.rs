//! `cargo simulate`: the tables of the simulation.

use clap::Parser;
use steadfaas_simulation::rows;
use steadfaas_simulation::tables::faults;

/// Simulates the decisions of steadfaas against modelled replicas: by default the table of faults.
#[derive(Debug, Parser)]
struct Cli {
    /// With how many seeds each row is run.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Only rows whose name holds this.
    #[arg(long)]
    row: Option<String>,
    /// Print JSON, an object a run.
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let mut rows = [rows::faults(), rows::loads()].concat();
    rows.retain(|row| cli.row.as_ref().is_none_or(|part| row.name.contains(part.as_str())));
    let runs = faults::run(&rows, cli.seeds)?;
    if cli.json {
        for run in &runs {
            println!("{}", serde_json::to_string(run)?);
        }
    } else {
        println!("{}", faults::show(&runs));
    }
    Ok(())
}
