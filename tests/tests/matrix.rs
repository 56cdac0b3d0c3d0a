//! The fault matrix on real Envoys: every cell on the newest, some of them on the oldest.

use std::path::Path;
use std::time::Instant;

use steadfaas_tests::envoy;
use steadfaas_tests::matrix::bed;
use steadfaas_tests::matrix::cell::Cell;
use steadfaas_tests::matrix::words::{Call, Fault};

/// Runs cells whose name holds `$STEADFAAS_CELLS`, if it is set: to look at one of them.
fn chosen(cells: Vec<Cell>) -> Vec<Cell> {
    let wanted = std::env::var("STEADFAAS_CELLS").unwrap_or_default();
    cells.into_iter().filter(|cell| cell.name().contains(&wanted)).collect()
}

async fn run(cells: Vec<Cell>, binary: &Path, version: &str) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut report = bed::run(chosen(cells), binary, version).await?;
    println!("{}", report.table());
    let bad = report.complaints();
    println!(
        "{} cells in {:.0?} on Envoy {version}, {} of them bad",
        report.ran(),
        started.elapsed(),
        bad.len()
    );
    assert!(bad.is_empty(), "{} cells are not as expected:\n{}", bad.len(), bad.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cell_is_as_expected_on_the_newest_envoy() -> anyhow::Result<()> {
    run(Cell::all(), &envoy::newest()?, xtask::envoy::NEWEST).await
}

/// Two replicas and the faults that need each part of what steadfaas asks of Envoy: retry, list of replicas, hedge,
/// health, membership.
fn is_smoke(cell: &Cell) -> bool {
    let faults = [Fault::Killed, Fault::Frozen, Fault::Answers503, Fault::SaysUnhealthy, Fault::Replaced];
    cell.replicas == 2 && faults.contains(&cell.fault) && cell.call != Call::KeyedPost
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn some_cells_are_as_expected_on_the_oldest_envoy() -> anyhow::Result<()> {
    let cells = Cell::all().into_iter().filter(is_smoke).collect();
    run(cells, &envoy::oldest()?, xtask::envoy::OLDEST).await
}
