//! Cells run side by side, some at a time: wave by wave, each in an Envoy of its own that has their functions.
//!
//! In a single one all cells together would need more watches of files than Linux lets a user have: a cell whose
//! members change takes one of 128.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::cell::Cell;
use super::judge::Observed;
use super::members;
use super::report::Report;
use super::stand::Stand;
use super::words::Fault;
use crate::bootstrap::Bootstrap;
use crate::client::Ask;
use crate::envoy::Envoy;
use crate::metrics::Metrics;
use crate::pauses::{LONG_PAUSE, Pauses, RUNS};
use crate::ports;

/// Cells at a time: at 40 requests a second each, what two slow cores bear with replicas, clients and Envoy on them and
/// something else beside it. Where they don't, well replicas seem late, and the filter does what it does about that.
const AT_A_TIME: usize = 16;

/// Between the starts of two loads: they would all send at the same milliseconds, and make Envoy busy for several.
const BETWEEN_LOADS: Duration = Duration::from_millis(7);

/// A view is there a fraction of a second after the first request; the rest is for a machine that compiles meanwhile.
const VIEW_PATIENCE: Duration = Duration::from_secs(20);

/// Runs `cells` in Envoys of the `binary`, which is of that version.
///
/// # Errors
/// An Envoy or a replica doesn't come up, or a fault can't be brought about.
pub async fn run(cells: Vec<Cell>, binary: &Path, version: &str) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let (mut tested, left_out): (Vec<_>, Vec<_>) = cells.into_iter().partition(|cell| cell.expect.is_ok());
    for cell in left_out {
        report.add(cell, None);
    }
    // Cells of one length go together, so that none waits for a longer one.
    tested.sort_by_key(|cell| cell.fault.length());
    for wave in tested.chunks(AT_A_TIME) {
        for (cell, observed) in run_steadily(wave.to_vec(), binary, version).await? {
            report.add(cell, Some(observed));
        }
    }
    Ok(report)
}

/// Runs a wave. Cells that are bad while the machine paused are run again.
async fn run_steadily(
    mut wave: Vec<Cell>,
    binary: &Path,
    version: &str,
) -> anyhow::Result<Vec<(Cell, Observed)>> {
    let mut done = Vec::new();
    for more_runs in (0..RUNS).rev() {
        let (observed, pause) = run_wave(&wave, binary, version).await?;
        let is_final = more_runs == 0 || pause < LONG_PAUSE;
        let (good, bad): (Vec<_>, Vec<_>) = observed
            .into_iter()
            .partition(|(cell, observed)| is_final || observed.complaints(cell).is_empty());
        done.extend(good);
        if bad.is_empty() {
            break;
        }
        for (cell, observed) in &bad {
            let wrong = observed.complaints(cell).join("; ");
            println!("once more, as the machine paused for {pause:.0?}: {}: {wrong}", cell.name());
        }
        wave = bad.into_iter().map(|(cell, _)| cell).collect();
    }
    Ok(done)
}

/// What came of each cell, and for how long at most the machine paused meanwhile.
async fn run_wave(
    wave: &[Cell],
    binary: &Path,
    version: &str,
) -> anyhow::Result<(Vec<(Cell, Observed)>, Duration)> {
    let folder = TempDir::with_prefix("matrix-")?;
    let mut stands = Vec::new();
    for cell in wave {
        let mut stand = stand_for(*cell, folder.path())?;
        stand.set_up().await.with_context(|| format!("the replicas of {}", cell.name()))?;
        stands.push(stand);
    }
    let bootstrap = bootstrap_for(&stands, version)?;
    let envoy = bootstrap.start(binary, 1).await?;
    wait_for_views(&stands, &envoy, &bootstrap).await?;
    let (pauses, mut running) = (Pauses::watch(), JoinSet::new());
    for (place, stand) in (0_u32..).zip(stands) {
        running.spawn(stand.run(bootstrap.listen, place * BETWEEN_LOADS));
    }
    let observed: anyhow::Result<_> = running.join_all().await.into_iter().collect();
    let pause = pauses.longest();
    envoy.stop().await?;
    Ok((observed?, pause))
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
