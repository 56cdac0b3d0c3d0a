//! A process that outlives the command that started it, known by its pid and the moment of its start.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use steadfaas_tests::process::ticked_by;

/// How often a process that was told to end is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// SIGKILL works within milliseconds, but a namespace's first process goes only after all the others in it.
const END_PATIENCE: Duration = Duration::from_secs(20);

/// Which process: pids are used again, but never with the same start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    pid: i32,
    /// Clock ticks from the machine's start.
    started: u64,
}

impl ProcessId {
    /// The process that has this pid now.
    ///
    /// # Errors
    /// There is none.
    pub fn of(pid: i32) -> anyhow::Result<Self> {
        let (_, started) = stat(pid).with_context(|| format!("no process has the pid {pid}"))?;
        Ok(Self { pid, started })
    }

    /// Its pid, as seen from here.
    #[must_use]
    pub fn pid(self) -> i32 {
        self.pid
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_alive(self) -> bool {
        stat(self.pid).is_some_and(|(state, started)| started == self.started && !matches!(state, 'Z' | 'X'))
    }

    /// Sends it a signal; nothing happens if it has ended.
    ///
    /// # Errors
    /// It isn't ours to signal.
    pub fn signal(self, signal: Signal) -> anyhow::Result<()> {
        let Some(pid) = Pid::from_raw(self.pid) else { return Ok(()) };
        // The handle comes first: once the start was compared, it can mean no other process.
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(()) };
        if !self.is_alive() {
            return Ok(());
        }
        match pidfd_send_signal(&handle, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error).with_context(|| format!("the process {} can't be signalled", self.pid)),
        }
    }

    /// Ends it at once and waits until it is gone.
    ///
    /// # Errors
    /// It doesn't go.
    pub fn end(self) -> anyhow::Result<()> {
        self.signal(Signal::KILL)?;
        self.wait()
    }

    /// Waits until it is gone, as something made it end.
    ///
    /// # Errors
    /// It doesn't go.
    pub fn wait(self) -> anyhow::Result<()> {
        let began = Instant::now();
        while self.is_alive() {
            anyhow::ensure!(began.elapsed() < END_PATIENCE, "the process {} outlives SIGKILL", self.pid);
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Its only child: of a wrapper that had to fork, the program itself.
    #[must_use]
    pub fn child(self) -> Option<Self> {
        let pid = self.pid;
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        Self::of(children.split_whitespace().next()?.parse().ok()?).ok()
    }
}

/// What a process has used by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Processor time.
    pub cpu: Duration,
    /// Memory that is its own now, in bytes.
    pub memory: u64,
}

impl ProcessId {
    /// What it has used by now; nothing once it has ended.
    #[must_use]
    pub fn spent(self) -> Option<Spent> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        spent(&stat, &status)
    }
}

fn spent(stat: &str, status: &str) -> Option<Spent> {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(Spent { cpu: ticked_by(stat)?, memory: kilobytes * 1_024 })
}

/// State and start of a process, from the line that Linux has on it. Its second field, the name in parentheses, may
/// hold anything.
fn stat(pid: i32) -> Option<(char, u64)> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse(line: &str) -> Option<(char, u64)> {
    let (_, rest) = line.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?.chars().next()?;
    // The 22nd field of the line; the state was the third.
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_a_process_used_is_read() {
        let stat = "7 (a b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 1 0 99 0";
        let status = "Name:\ta\nVmRSS:\t  900 kB\nRssAnon:\t     512 kB\nRssFile:\t 388 kB\n";
        let expected = Spent { cpu: Duration::from_secs(2), memory: 524_288 };
        assert_eq!(spent(stat, status), Some(expected));
        let this = ProcessId::of(std::process::id().try_into().unwrap()).unwrap();
        assert!(this.spent().unwrap().memory > 0);
    }

    #[test]
    fn a_name_with_parentheses_and_blanks_does_not_shift_the_fields() {
        let line = "7 (a) b (c) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
        assert_eq!(parse(line), Some(('S', 4711)));
    }

    #[test]
    fn a_process_is_alive_until_it_is_ended() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = ProcessId::of(child.id().try_into().unwrap()).unwrap();
        assert!(process.is_alive());
        process.end().unwrap();
        assert!(!process.is_alive());
        child.wait().unwrap();
        process.end().unwrap();
    }

    #[test]
    fn another_process_of_the_same_pid_is_left_alone() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = ProcessId::of(child.id().try_into().unwrap()).unwrap();
        let earlier = ProcessId { started: process.started - 1, ..process };
        earlier.end().unwrap();
        assert!(!earlier.is_alive() && process.is_alive());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
