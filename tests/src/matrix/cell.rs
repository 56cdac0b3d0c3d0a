//! A cell: one function with one strategy, a number of replicas, one kind of request, and one fault.

use std::fmt;

use steadfaas_core::policy::Strategy;

use super::expect::Expect;
use super::table::{EACH, Row, TABLE, TRIES};
use super::words::{Call, Fault};

/// A cell of the matrix.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    /// The function's strategy.
    pub strategy: Strategy,
    /// How many replicas it has.
    pub replicas: usize,
    /// The kind of its requests.
    pub call: Call,
    /// What happens to its replicas.
    pub fault: Fault,
    /// What is expected then, or why there is nothing to test.
    pub expect: Result<Expect, &'static str>,
}

impl Cell {
    /// Every cell of the table, those that are left out too.
    #[must_use]
    pub fn all() -> Vec<Self> {
        TABLE.iter().flat_map(Self::of_row).collect()
    }

    fn of_row(row: &'static Row) -> impl Iterator<Item = Self> {
        row.strategies.iter().flat_map(move |&strategy| {
            row.replicas.iter().flat_map(move |&replicas| {
                row.calls.iter().map(move |&call| Self {
                    strategy,
                    replicas,
                    call,
                    fault: row.fault,
                    expect: row.expect.map(|expect| with_runs(expect, replicas, call)),
                })
            })
        })
    }

    /// The function's name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}-{}-{}", self.strategy.as_str(), self.replicas, self.call.word(), self.fault.word())
    }

    /// The host that its requests ask for.
    #[must_use]
    pub fn host(&self) -> String {
        format!("{}.test", self.name())
    }
}

/// What a policy tries at most that says nothing of it: one replica, one more to survive the loss of one, and one more.
const MOST_TRIES: u32 = 3;

/// [`EACH`] and [`TRIES`] as numbers.
fn with_runs(expect: Expect, replicas: usize, call: Call) -> Expect {
    let runs = match expect.runs {
        EACH => u32::try_from(replicas).unwrap_or(EACH),
        TRIES if replicas == 1 || call == Call::Post => 1,
        TRIES => MOST_TRIES,
        runs => runs,
    };
    Expect { runs, ..expect }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (strategy, plural) = (self.strategy.as_str(), if self.replicas == 1 { "" } else { "s" });
        write!(f, "{strategy}, {} replica{plural}, {}; {}: ", self.replicas, self.call, self.fault)?;
        match &self.expect {
            Ok(expect) => expect.fmt(f),
            Err(why) => write!(f, "left out, for {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_in_the_table_exactly_once() {
        let cells = Cell::all();
        for strategy in Strategy::ALL {
            for replicas in 1..=3 {
                for call in Call::ALL {
                    for fault in Fault::ALL {
                        let is_it = |cell: &&Cell| {
                            (cell.strategy, cell.replicas, cell.call, cell.fault)
                                == (strategy, replicas, call, fault)
                        };
                        let found = cells.iter().filter(is_it).count();
                        assert_eq!(found, 1, "{} {replicas} {call:?} {fault:?}", strategy.as_str());
                    }
                }
            }
        }
    }

    #[test]
    fn a_request_that_must_not_run_twice_never_may() {
        for cell in Cell::all().into_iter().filter(|cell| cell.call == Call::Post) {
            assert!(cell.expect.is_err() || cell.expect.unwrap().runs == 1, "{cell}");
        }
    }

    #[test]
    fn a_cell_reads_as_a_sentence() {
        let cell = Cell::all().into_iter().find(|cell| cell.name() == "active-standby-2-get-killed").unwrap();
        assert_eq!(
            cell.to_string(),
            "active-standby, 2 replicas, GET; one is killed: no request fails; a request runs at most 3 times"
        );
    }
}
