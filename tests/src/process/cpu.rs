//! The processor time of a process.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Clock ticks a second in `/proc/<pid>/stat`: 100 on every Linux that is in use (`getconf CLK_TCK`).
pub(crate) const TICKS_PER_SECOND: u64 = 100;

/// The time that it has used, user and system, all threads; nothing where there is no `/proc`.
pub(super) fn time_of(pid: u32) -> Option<Duration> {
    let proc = PathBuf::from(format!("/proc/{pid}"));
    scheduled(&proc).or_else(|| ticked(&proc))
}

/// The threads' time on a processor in nanoseconds, where the kernel keeps it.
fn scheduled(proc: &Path) -> Option<Duration> {
    let mut nanoseconds = 0_u64;
    for task in fs::read_dir(proc.join("task")).ok()? {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanoseconds))
}

/// The same from the coarse counters that every Linux has: fields 14 and 15, after the name in parentheses.
fn ticked(proc: &Path) -> Option<Duration> {
    ticked_by(&fs::read_to_string(proc.join("stat")).ok()?)
}

/// The same from the text of a `/proc/<pid>/stat`.
#[must_use]
pub fn ticked_by(stat: &str) -> Option<Duration> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Program;

    #[test]
    fn both_ways_of_reading_processor_time_agree() {
        let process = Program::new("sh").args(["-c", "while :; do :; done"]).start().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let proc = PathBuf::from(format!("/proc/{}", process.pid()));
        let (fine, coarse) = (scheduled(&proc).unwrap(), ticked(&proc).unwrap());
        assert!(fine.abs_diff(coarse) < Duration::from_millis(50), "{fine:?} and {coarse:?}");
    }
}
