//! What else the machine does while something is measured.

use std::fs;
use std::time::Duration;

use crate::process::TICKS_PER_SECOND;

/// The processor time used so far by everything on this machine; nothing where there is no `/proc`.
fn by_all() -> Option<Duration> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are in the first two already.
    let fields: Vec<u64> = text
        .lines()
        .next()?
        .split_ascii_whitespace()
        .skip(1)
        .take(8)
        .map_while(|field| field.parse().ok())
        .collect();
    let idle = fields.iter().skip(3).take(2).sum::<u64>();
    Some(ticks(fields.iter().sum::<u64>().saturating_sub(idle)))
}

/// That used by this process and by those of its children that have ended.
fn by_this_process() -> Option<Duration> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, after_name) = text.rsplit_once(')')?;
    let used = after_name.split_ascii_whitespace().skip(11).take(4);
    Some(ticks(used.map_while(|field| field.parse::<u64>().ok()).sum()))
}

fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 1_000 / TICKS_PER_SECOND)
}

/// How much the machine has done for others than this process and its children: meaningful as a difference.
///
/// `children`: what those that are still there have used.
#[must_use]
pub fn used_by_others(children: Duration) -> Option<Duration> {
    Some(by_all()?.saturating_sub(by_this_process()? + children))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::process::Program;

    #[test]
    fn a_child_counts_as_other_load_until_it_is_said_to_be_ones_own() {
        let (before, started) = (used_by_others(Duration::ZERO).unwrap(), Instant::now());
        let child = Program::new("sh").args(["-c", "while :; do :; done"]).start().unwrap();
        std::thread::sleep(Duration::from_millis(500));
        let (all, own) = (used_by_others(Duration::ZERO).unwrap(), child.cpu_time());
        let (with, without) = (all.saturating_sub(before), all.saturating_sub(before + own));
        // Ticks are coarse; the machine may be busy otherwise, but no busier than it has cores.
        assert!(with + Duration::from_millis(50) >= own, "{with:?} {own:?}");
        assert!(without <= with && started.elapsed() >= Duration::from_millis(500));
    }
}
