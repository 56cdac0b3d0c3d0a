//! All cells as a table that one can read, and the bad ones as a message.

use comfy_table::{Table, presets};

use super::cell::Cell;
use super::judge::Observed;

/// What came of all cells.
#[derive(Debug, Default)]
pub struct Report {
    cells: Vec<(Cell, Option<Observed>)>,
}

impl Report {
    /// Takes in a cell; without observation if it is left out.
    pub fn add(&mut self, cell: Cell, observed: Option<Observed>) {
        self.cells.push((cell, observed));
    }

    /// How many cells were run.
    #[must_use]
    pub fn ran(&self) -> usize {
        self.cells.iter().filter(|(_, observed)| observed.is_some()).count()
    }

    /// All cells, in the order of the table.
    #[must_use]
    pub fn table(&mut self) -> Table {
        self.cells.sort_by_key(|(cell, _)| Cell::all().iter().position(|other| other.name() == cell.name()));
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["", "cell", "failed", "most runs"]);
        for (cell, observed) in &self.cells {
            let row = match observed {
                None => ["-".to_owned(), cell.to_string(), String::new(), String::new()],
                Some(seen) => {
                    let mark = if seen.complaints(cell).is_empty() { "ok" } else { "NOT" };
                    let failed = format!("{} of {}", seen.failed(), seen.outcomes.len());
                    [mark.to_owned(), cell.to_string(), failed, seen.most_runs().to_string()]
                }
            };
            table.add_row(row);
        }
        table
    }

    /// Each bad cell with what is wrong with it.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let seen = self.cells.iter().filter_map(|(cell, observed)| Some((cell, observed.as_ref()?)));
        let bad = seen.map(|(cell, observed)| (cell, observed.complaints(cell)));
        bad.filter(|(_, wrong)| !wrong.is_empty())
            .map(|(cell, wrong)| format!("{cell}\n    {}", wrong.join("\n    ")))
            .collect()
    }
}
