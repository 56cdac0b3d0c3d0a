//! What to start, and where: on which core, in which network namespace.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;
use rustix::process::Pid;
use tempfile::NamedTempFile;

use super::Process;

/// What to start and where.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    args: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    core: Option<usize>,
    net_of: Option<Pid>,
}

impl Program {
    /// The program at `path`, without arguments.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), args: Vec::new(), variables: Vec::new(), core: None, net_of: None }
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

    /// With one more variable in its environment.
    #[must_use]
    pub fn variable(mut self, (name, value): (&str, &str)) -> Self {
        self.variables.push((name.into(), value.into()));
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
        // One offset for both, so that they don't write over each other.
        let output = log.reopen()?;
        let mut words = self.wrappers();
        words.push(self.path.clone().into_os_string());
        let (first, rest) = words.split_first().context("nothing to start")?;
        let child = Command::new(first)
            .args(rest)
            .args(&self.args)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
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
