//! `cargo simulate`: the tables of the simulation.

use clap::{Args, Parser, Subcommand};
use steadfaas_simulation::tables::{faults, scale, sensitivity};
use steadfaas_simulation::{parameters, rows};

/// Simulates the decisions of steadfaas against modelled replicas.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    table: Option<Table>,
    #[command(flatten)]
    faults: Faults,
}

#[derive(Debug, Subcommand)]
enum Table {
    /// The table of faults; what is printed without a word, too
    Faults(Faults),
    /// What becomes of it when a parameter is halved and doubled: docs/parameters.md
    Sensitivity,
    /// One function behind a thousand proxies, ten thousand functions behind one: docs/scale.md
    Scale,
}

#[derive(Debug, Args)]
struct Faults {
    /// With how many seeds each row is run
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Only rows whose name holds this
    #[arg(long)]
    row: Option<String>,
    /// Print JSON, an object a run
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.table.unwrap_or(Table::Faults(cli.faults)) {
        Table::Faults(wanted) => print_faults(&wanted),
        Table::Sensitivity => {
            print!("{}", sensitivity::document(&parameters::all()?)?);
            Ok(())
        }
        Table::Scale => {
            print!("{}", scale::document()?);
            Ok(())
        }
    }
}

fn print_faults(wanted: &Faults) -> anyhow::Result<()> {
    let mut rows = [rows::faults(), rows::loads(), rows::others()].concat();
    rows.retain(|row| wanted.row.as_ref().is_none_or(|part| row.name.contains(part.as_str())));
    let runs = faults::run(&rows, wanted.seeds)?;
    if wanted.json {
        for run in &runs {
            println!("{}", serde_json::to_string(run)?);
        }
    } else {
        println!("{}", faults::show(&runs, false));
    }
    Ok(())
}
