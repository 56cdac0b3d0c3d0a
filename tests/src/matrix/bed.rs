//! One Envoy with the functions of all cells; cells run in it side by side, some dozens at a time.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::cell::Cell;
use super::members;
use super::report::Report;
use super::stand::Stand;
use super::words::Fault;
use crate::bootstrap::Bootstrap;
use crate::client::Ask;
use crate::envoy::Envoy;
use crate::metrics::Metrics;
use crate::ports;

/// Cells at a time: at 40 requests a second each, what two slow cores bear with replicas, clients and Envoy on them and
/// something else beside it. Where they don't, well replicas seem late, and the filter does what it does about that.
const AT_A_TIME: usize = 16;

/// Between the starts of two loads: they would all send at the same milliseconds, and make Envoy busy for several.
const BETWEEN_LOADS: Duration = Duration::from_millis(7);

/// A view is there a fraction of a second after the first request; the rest is for a machine that compiles meanwhile.
const VIEW_PATIENCE: Duration = Duration::from_secs(20);

/// Runs `cells` in the Envoy at `binary`, which is of that version.
///
/// # Errors
/// Envoy or a replica doesn't come up, or a fault can't be brought about.
pub async fn run(cells: Vec<Cell>, binary: &Path, version: &str) -> anyhow::Result<Report> {
    let folder = TempDir::with_prefix("matrix-")?;
    let mut report = Report::default();
    let mut stands = Vec::new();
    for cell in cells {
        if cell.expect.is_ok() {
            stands.push(stand_for(cell, folder.path())?);
        } else {
            report.add(cell, None);
        }
    }
    let bootstrap = bootstrap_for(&stands, version)?;
    let envoy = bootstrap.start(binary, 1).await?;
    // Cells of one length go together, so that none waits for a longer one.
    stands.sort_by_key(|stand| stand.cell.fault.length());
    while !stands.is_empty() {
        let wave = stands.drain(..AT_A_TIME.min(stands.len())).collect();
        for (cell, observed) in run_wave(wave, &envoy, &bootstrap).await? {
            report.add(cell, Some(observed));
        }
    }
    envoy.stop().await?;
    Ok(report)
}

fn stand_for(cell: Cell, folder: &Path) -> anyhow::Result<Stand> {
    let count = if cell.fault.is_of_members() { 2 * cell.replicas } else { cell.replicas };
    let addresses: Vec<_> = (0..count).map(|_| ports::free_address()).collect();
    let members: Option<PathBuf> =
        cell.fault.is_of_members().then(|| folder.join(cell.name()).join("members.json"));
    if let Some(file) = &members {
        std::fs::create_dir_all(file.parent().context("the file is in no folder")?)?;
        members::write(file, &cell.name(), addresses.get(..cell.replicas).unwrap_or_default())?;
    }
    Ok(Stand::new(cell, addresses, members))
}

fn bootstrap_for(stands: &[Stand], version: &str) -> anyhow::Result<Bootstrap> {
    let mut functions = "functions:\n".to_owned();
    for Stand { cell, addresses, .. } in stands {
        let replicas: Vec<_> = addresses.iter().take(cell.replicas).map(ToString::to_string).collect();
        writeln!(functions, "- name: {}", cell.name())?;
        writeln!(functions, "  host: {}", cell.host())?;
        writeln!(functions, "  replicas: [{}]", replicas.join(", "))?;
        writeln!(functions, "  strategy: {}", cell.strategy.as_str())?;
        for (key, value) in cell.fault.settings() {
            writeln!(functions, "  {key}: {value}")?;
        }
    }
    let mut bootstrap = Bootstrap::render(&functions, version)?;
    for stand in stands {
        if let Some(file) = &stand.members {
            bootstrap.take_members_from(&stand.cell.name(), file)?;
        }
        if stand.cell.fault == Fault::EagerOutlierDetection {
            bootstrap.eject_eagerly(&stand.cell.name())?;
        }
    }
    Ok(bootstrap)
}

async fn run_wave(
    mut wave: Vec<Stand>,
    envoy: &Envoy,
    bootstrap: &Bootstrap,
) -> anyhow::Result<Vec<(Cell, super::judge::Observed)>> {
    for stand in &mut wave {
        let name = stand.cell.name();
        stand.set_up().await.with_context(|| format!("the replicas of {name}"))?;
    }
    wait_for_views(&wave, envoy, bootstrap).await?;
    let mut running = JoinSet::new();
    for (place, stand) in (0_u32..).zip(wave) {
        running.spawn(stand.run(bootstrap.listen, place * BETWEEN_LOADS));
    }
    running.join_all().await.into_iter().collect()
}

/// Sends single requests until the filter knows all replicas of each function and finds them well.
async fn wait_for_views(wave: &[Stand], envoy: &Envoy, bootstrap: &Bootstrap) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let mut asked = JoinSet::new();
        for stand in wave {
            asked.spawn(Ask::get(&stand.cell.host(), "/?n=15").send(bootstrap.listen));
        }
        asked.join_all().await;
        let metrics = Metrics::of(envoy).await?;
        let knows = |stand: &&Stand| {
            let (name, count) = (stand.cell.name(), u64::try_from(stand.cell.replicas).ok());
            metrics.get("replicas", &name) == count && metrics.get("replicas_well", &name) == count
        };
        let waiting: Vec<_> =
            wave.iter().filter(|stand| !knows(stand)).map(|stand| stand.cell.name()).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        anyhow::ensure!(
            started.elapsed() < VIEW_PATIENCE,
            "the filter doesn't see all replicas of {} after {VIEW_PATIENCE:?}",
            waiting.join(", ")
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
