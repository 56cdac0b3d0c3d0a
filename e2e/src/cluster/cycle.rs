//! Making a cluster and taking it away, several times, and looking whether anything stays.

use std::time::Instant;

use xtask::command::say;

use super::down::down;
use super::folder::Folder;
use super::layers::{self, Layer};
use super::traces::{Traces, disk_used};
use super::up::up;

/// So much more may be in use on the disk than before, in bytes: other programs write too.
const DISK_TOLERANCE: u64 = 100_000_000;

/// Does it so many times. The first one isn't compared: it may fill the cache and install packages.
///
/// # Errors
/// Something stays, or the cluster doesn't come up.
pub fn cycle(times: u32, workers: u8, with: &[Layer]) -> anyhow::Result<()> {
    let folder = Folder::of_user()?;
    anyhow::ensure!(folder.read()?.is_none(), "a cluster is up: `cargo cluster down` ends it");
    once(&folder, workers, with)?;
    let traces = Traces::of(&folder);
    let (before, disk_before) = (traces.find()?, disk_used(folder.path())?);
    for round in 2..=times {
        let took = once(&folder, workers, with)?;
        let left: Vec<String> = traces.find()?.difference(&before).cloned().collect();
        anyhow::ensure!(left.is_empty(), "round {round} left behind: {}", left.join("; "));
        say(&format!("round {round} of {times}: {took}; nothing is left"));
    }
    let more = disk_used(folder.path())?.saturating_sub(disk_before);
    anyhow::ensure!(more < DISK_TOLERANCE, "{} MB more are in use on the disk", more / 1_000_000);
    Ok(())
}

fn once(folder: &Folder, workers: u8, with: &[Layer]) -> anyhow::Result<String> {
    let began = Instant::now();
    layers::add(&up(workers)?, with)?;
    let came = began.elapsed().as_secs_f64();
    down(folder)?;
    Ok(format!("up in {came:.1} s, down in {:.1} s", began.elapsed().as_secs_f64() - came))
}
