//! `cargo verify`: everything that proves the project, quick parts first, counted at the end.

use std::time::{Duration, Instant};

use anyhow::Result;

mod options;
mod part;
mod parts;
mod summary;
mod tally;
mod tests_of;
mod together;

use options::Options;
use part::{Outcome, Part};
use summary::{Row, Summary};
use tally::Tally;

use together::Package;

use crate::supplies::Supplies;

/// Runs the parts asked for and says whether all of them held.
pub fn run(arguments: &[String]) -> Result<bool> {
    let options = Options::parse(arguments, &parts::ALL)?;
    if options.list {
        print!("{}", options::list(&parts::ALL));
        return Ok(true);
    }
    let supplies = Supplies::with_functions(|supplies, function| {
        Package::Function(function).program(supplies, function.name())
    });
    let mut summary = Summary::default();
    for part in &parts::ALL {
        if options.asks_for(part) {
            summary.add(run_part(part, &supplies));
        } else if options.leaves_out(part) {
            summary.add(Row { name: part.name, took: Duration::ZERO, outcome: left_out() });
        }
    }
    print!("{summary}");
    Ok(summary.total().failed == 0)
}

fn left_out() -> Outcome {
    Outcome::NotRun("--quick leaves it out".to_owned())
}

fn run_part(part: &'static Part, supplies: &Supplies) -> Row {
    println!("\n== {}: {}", part.name, part.what);
    let start = Instant::now();
    let outcome = (part.run)(supplies).unwrap_or_else(|error| Outcome::Counted(Tally::of_error(&error)));
    let row = Row { name: part.name, took: start.elapsed(), outcome };
    println!("== {row}");
    row
}
