//! A child process whose output goes to a temporary file: ended by its pid when dropped, at the latest with this one.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;

/// How much of a process's output is shown when it fails: what is wrong stands in the last lines.
const TAIL_LINES: usize = 20;

/// Clock ticks a second in `/proc/<pid>/stat`: 100 on every Linux that is in use (`getconf CLK_TCK`).
const TICKS_PER_SECOND: u64 = 100;

/// What to start and where.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    args: Vec<OsString>,
    core: Option<usize>,
    net_of: Option<Pid>,
}

impl Program {
    /// The program at `path`, without arguments.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), args: Vec::new(), core: None, net_of: None }
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// With `args` after those it has.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// On one core only (`taskset`), where one is given.
    #[must_use]
    pub fn on_core(mut self, core: Option<usize>) -> Self {
        self.core = core;
        self
    }

    /// In the network namespace of another process (`nsenter`), where one is given.
    #[must_use]
    pub fn in_net_of(mut self, holder: Option<Pid>) -> Self {
        self.net_of = holder;
        self
    }

    /// Starts it. It is ended when the value is dropped, and by the kernel when the *thread* that started it ends
    /// (so that nothing is left when this process is killed): start it from a thread that outlives it.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start(&self) -> anyhow::Result<Process> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let log = NamedTempFile::with_prefix(format!("{name}-")).context("the log can't be made")?;
        let mut words = self.wrappers();
        words.push(self.path.clone().into_os_string());
        let (first, rest) = words.split_first().context("nothing to start")?;
        let child = Command::new(first)
            .args(rest)
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(log.reopen()?)
            .stderr(log.reopen()?)
            .spawn()
            .with_context(|| format!("{} can't be started", self.path.display()))?;
        Ok(Process { name, child, log })
    }

    /// Commands that set something up and then become the next one, so that the pid stays that of the program.
    fn wrappers(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        if let Some(holder) = self.net_of {
            let net = format!("--net=/proc/{}/ns/net", holder.as_raw_pid());
            words.extend(["nsenter".into(), net.into(), "--".into()]);
        }
        if let Some(core) = self.core {
            words.extend(["taskset".into(), "--cpu-list".into(), core.to_string().into()]);
        }
        if in_path("setpriv") {
            words.extend(["setpriv", "--pdeathsig", "KILL", "--"].map(OsString::from));
        }
        words
    }
}

/// A running child process.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: NamedTempFile,
}

impl Process {
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
        let waited = std::time::Instant::now();
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
        let proc = PathBuf::from(format!("/proc/{}", self.child.id()));
        scheduled(&proc).or_else(|| ticked(&proc)).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, which is as well; SIGKILL reaches a frozen process too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
    let text = fs::read_to_string(proc.join("stat")).ok()?;
    let (_, after_name) = text.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
}

/// Whether a command of this name can be found.
#[must_use]
pub fn in_path(name: &str) -> bool {
    find_in_path(name).is_some()
}

/// Where the command of this name is.
#[must_use]
pub fn find_in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
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

    #[test]
    fn both_ways_of_reading_processor_time_agree() {
        let process = Program::new("sh").args(["-c", "while :; do :; done"]).start().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let proc = PathBuf::from(format!("/proc/{}", process.child.id()));
        let (fine, coarse) = (scheduled(&proc).unwrap(), ticked(&proc).unwrap());
        assert!(fine.abs_diff(coarse) < Duration::from_millis(50), "{fine:?} and {coarse:?}");
    }
}
