//! A child process whose output goes to a temporary file: ended by its pid when dropped, at the latest with this one.

mod cpu;
mod program;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;

pub(crate) use cpu::TICKS_PER_SECOND;
pub use cpu::ticked_by;
pub use program::{Program, find_in_path, in_path};

/// How much of a process's output is shown when it fails: what is wrong stands in the last lines.
const TAIL_LINES: usize = 20;

/// How often a process that comes up is asked.
const PAUSE: Duration = Duration::from_millis(10);

/// A running child process.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: NamedTempFile,
}

impl Process {
    /// The program's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// It has ended.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        kill_process(self.pid(), signal).with_context(|| format!("{} can't be signalled", self.name))
    }

    /// Freezes it (SIGSTOP): it accepts connections, as the kernel does that, and never answers.
    ///
    /// # Errors
    /// It has ended.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Thaws it (SIGCONT): it goes on with what it was at, and with what came meanwhile.
    ///
    /// # Errors
    /// It has ended.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    /// Waits until it, just started, `answers` well.
    ///
    /// # Errors
    /// It ends, or has not answered so when `patience` is over; the message ends with what it logged last.
    pub async fn wait_until_well<A: Future<Output = bool>>(
        &mut self,
        patience: Duration,
        answers: impl Fn() -> A,
    ) -> anyhow::Result<()> {
        let started = Instant::now();
        while !answers().await {
            if let Some(status) = self.ended()? {
                anyhow::bail!("{} ended at its start ({status}):\n{}", self.name, self.log_tail());
            }
            anyhow::ensure!(
                started.elapsed() < patience,
                "no good answer from {} after {patience:?}:\n{}",
                self.name,
                self.log_tail()
            );
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Ends it with SIGKILL and waits until it is gone.
    ///
    /// # Errors
    /// It can't be waited for.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().with_context(|| format!("{} can't be killed", self.name))?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits for that at most `patience`.
    ///
    /// # Errors
    /// It is still there, or didn't end well.
    pub async fn stop(&mut self, patience: Duration) -> anyhow::Result<()> {
        self.signal(Signal::TERM)?;
        let waited = Instant::now();
        while waited.elapsed() < patience {
            if let Some(status) = self.child.try_wait()? {
                let well = status.success() || status.signal() == Some(Signal::TERM.as_raw());
                anyhow::ensure!(well, "{} ended with {status}:\n{}", self.name, self.log_tail());
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        anyhow::bail!("{} still runs {patience:?} after SIGTERM", self.name)
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// The system doesn't say.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Where its output goes.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        self.log.path()
    }

    /// The last lines of its output.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let text = fs::read(self.log.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(TAIL_LINES)..).unwrap_or_default().join("\n")
    }

    /// The processor time it has used, user and system, all threads. Nothing where there is no `/proc`.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        cpu::time_of(self.child.id()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, which is as well; SIGKILL reaches a frozen process too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_once_dropped() {
        let process = Program::new("sleep").arg("60").start().unwrap();
        let pid = process.pid();
        drop(process);
        assert!(rustix::process::test_kill_process(pid).is_err());
    }

    #[test]
    fn the_tail_is_the_end_of_the_output() {
        let mut process = Program::new("seq").arg("100").start().unwrap();
        process.child.wait().unwrap();
        let tail = process.log_tail();
        assert_eq!(tail.lines().next(), Some("81"));
        assert_eq!(tail.lines().last(), Some("100"));
    }
}
