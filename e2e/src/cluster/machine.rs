//! A machine of the cluster: namespaces of its own for network, mounts and processes, which one process holds. When
//! that one ends, the kernel ends all others and takes network and mounts away: nothing of a machine outlives it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::cgroup;
use super::folder::ProgramRecord;
use super::process::ProcessId;
use super::record::Records;

/// What is run first on each: folders that programs expect are the machine's own, mounts reach the pods that ask for
/// it, and its own addresses are up.
const SET_UP: &str = "mount --make-rshared / \
    && mount --bind \"$1/lib\" /var/lib && mount --bind \"$1/log\" /var/log && mount -t tmpfs tmpfs /run \
    && ip link set lo up && sysctl -q -w net.ipv4.ip_forward=1";

/// Enters the cgroups that are named up to `--`, and becomes what comes after it.
const ENTER_CGROUPS: &str =
    "while [ \"$1\" != -- ]; do echo 0 > \"$1/cgroup.procs\" || exit 1; shift; done; shift; exec \"$@\"";

/// A running machine.
#[derive(Debug, Clone)]
pub struct Machine {
    name: String,
    /// The first process in its namespaces.
    inside: ProcessId,
    folder: PathBuf,
    cgroups: Vec<PathBuf>,
}

impl Machine {
    /// Makes a machine and writes it down.
    ///
    /// # Errors
    /// The system doesn't allow it.
    pub fn start(name: &str, pause: &Path, records: &Records) -> anyhow::Result<Self> {
        let folder = records.folder().join(name);
        for part in ["lib", "log"] {
            fs::create_dir_all(folder.join(part))
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let inside =
            hold(name, pause, records).with_context(|| format!("the machine {name} can't be made"))?;
        let cgroups = cgroup::make(&records.folder().mark(), name)?;
        let machine = Self { name: name.to_owned(), inside, folder, cgroups };
        machine.run("sh", &["-c", SET_UP, "sh", &machine.folder.to_string_lossy()])?;
        Ok(machine)
    }

    /// The machine of this name that is written down.
    ///
    /// # Errors
    /// There is none, or it has ended.
    pub fn find(name: &str, records: &Records) -> anyhow::Result<Self> {
        let record = records.read();
        let names: Vec<&str> = record.machines.iter().map(|machine| machine.name.as_str()).collect();
        let found = record.machines.iter().find(|machine| machine.name == name);
        let found =
            found.with_context(|| format!("no machine is named {name}; there are {}", names.join(", ")))?;
        let inside = found.holder.child().filter(|inside| inside.is_alive());
        let inside = inside.with_context(|| format!("the machine {name} has ended"))?;
        let folder = records.folder().join(name);
        let cgroups = cgroup::make(&records.folder().mark(), name)?;
        Ok(Self { name: name.to_owned(), inside, folder, cgroups })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A process in its namespaces.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.inside.pid()
    }

    /// Its network namespace, as a file.
    #[must_use]
    pub fn network(&self) -> PathBuf {
        format!("/proc/{}/ns/net", self.pid()).into()
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command on this machine.
    #[must_use]
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(self.entrance()).arg(program.as_ref());
        command
    }

    fn entrance(&self) -> [String; 6] {
        let target = self.pid().to_string();
        ["--target", &target, "--net", "--mount", "--pid", "--"].map(str::to_owned)
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// It fails; the error has what it said.
    pub fn run(&self, program: impl AsRef<Path>, args: &[&str]) -> anyhow::Result<String> {
        let what = || format!("`{} {}` on {}", program.as_ref().display(), args.join(" "), self.name);
        let output = self.command(program.as_ref()).args(args).stdin(Stdio::null()).output();
        let output = output.with_context(|| format!("cannot start {}", what()))?;
        let error = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "{} failed: {}", what(), error.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs `ip` in its network; pids among these words are as seen from here.
    ///
    /// # Errors
    /// It fails.
    pub fn ip(&self, words: &str) -> anyhow::Result<String> {
        let output = self.in_network("ip").args(words.split(' ')).stdin(Stdio::null()).output();
        let output = output.context("`nsenter` can't be started")?;
        let error = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "`ip {words}` on {} failed: {}", self.name, error.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// A command in its network alone, with the files and processes that are seen from here.
    #[must_use]
    pub fn in_network(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.pid().to_string(), "--net", "--"]).arg(program.as_ref());
        command
    }

    /// Starts a program that goes on when this command has ended, in the machine's cgroup; its output goes to the
    /// machine's log of that name. Where it stands is the root folder: all its paths have to be whole.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start_program(&self, program: &Program, records: &Records) -> anyhow::Result<()> {
        let log = File::options().create(true).append(true).open(self.log(&program.name))?;
        let mut command = Command::new("setsid");
        command.args(["sh", "-c", ENTER_CGROUPS, "sh"]).args(&self.cgroups).args(["--", "nsenter"]);
        command.args(self.entrance()).arg(&program.path).args(&program.args);
        command.envs(program.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child =
            command.spawn().with_context(|| format!("{} can't be started", program.path.display()))?;
        let process = ProcessId::of(child.id().try_into()?)?;
        records.add_program(&self.name, program, process)
    }

    /// Kills one of its programs, and waits until it is gone.
    ///
    /// # Errors
    /// It has none of this name.
    pub fn stop_program(&self, name: &str, records: &Records) -> anyhow::Result<()> {
        let wrapper = self.known(name, records)?.process;
        let Some(child) = wrapper.child() else { return wrapper.end() };
        child.signal(Signal::KILL)?;
        // The wrapper ends when all threads of its child have: until then its ports are taken.
        wrapper.wait()
    }

    /// Starts one of its programs as it was started before, unless it runs.
    ///
    /// # Errors
    /// It has none of this name, or it can't be started.
    pub fn start_again(&self, name: &str, records: &Records) -> anyhow::Result<()> {
        let known = self.known(name, records)?;
        if known.process.is_alive() { Ok(()) } else { self.start_program(&known.program, records) }
    }

    fn known(&self, name: &str, records: &Records) -> anyhow::Result<ProgramRecord> {
        let known = records.program(&self.name, name);
        known.with_context(|| format!("{} runs no {name}", self.name))
    }

    /// Where the output of one of its programs goes.
    #[must_use]
    pub fn log(&self, program: &str) -> PathBuf {
        self.folder.join(format!("log/{program}.log"))
    }
}

/// What to start on a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    name: String,
    path: PathBuf,
    args: Vec<String>,
    variables: Vec<(String, String)>,
}

impl Program {
    /// The program at `path`, which is called `name` in logs and by `status`.
    #[must_use]
    pub fn new(name: &str, path: impl Into<PathBuf>) -> Self {
        Self { name: name.to_owned(), path: path.into(), args: Vec::new(), variables: Vec::new() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// With these arguments after those it has.
    #[must_use]
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// With this variable in its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Starts the process that holds the namespaces. It goes on only once it is written down, so that a crash in between
/// leaves nothing behind.
fn hold(name: &str, pause: &Path, records: &Records) -> anyhow::Result<ProcessId> {
    let mut child = Command::new("setsid")
        .args(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .args(["--propagation", "slave", "--"])
        .arg(pause)
        .arg("--when-told")
        .arg(records.folder().mark())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("`unshare` (util-linux) can't be started")?;
    let mut said = String::new();
    let mut stdout = BufReader::new(child.stdout.take().context("no pipe")?);
    stdout.read_line(&mut said)?;
    if said.trim() != "ready" {
        let output = child.wait_with_output()?;
        anyhow::bail!("no namespaces: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let holder = ProcessId::of(child.id().try_into()?)?;
    records.add_machine(name, holder)?;
    child.stdin.take().context("no pipe")?.write_all(b"\n")?;
    holder.child().context("it ended at once")
}
