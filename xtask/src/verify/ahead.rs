//! The cluster's Go programs, built beside tests that mostly wait: where none is cached they take two cores for some
//! twenty minutes.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::together::Package;
use crate::command::{output_of, say};
use crate::supplies::Supplies;
use crate::target_dir;

/// A build that goes on in the background, if it could be started.
#[derive(Debug)]
pub(super) struct Ahead(Option<Child>);

impl Ahead {
    /// Begins it. What comes of it, who needs the programs finds out: they are built then where they aren't there.
    pub(super) fn begin(supplies: &Supplies) -> Self {
        let begun = begin(supplies);
        if let Err(error) = &begun {
            say(&format!("the cluster's programs aren't built meanwhile: {error:#}"));
        }
        Self(begun.ok())
    }

    /// Waits until it is over.
    pub(super) fn finish(self) {
        let Some(mut child) = self.0 else { return };
        if matches!(child.try_wait(), Ok(None)) {
            say("waiting for the cluster's programs");
        }
        if let Err(error) = child.wait() {
            say(&format!("the build of the cluster's programs is lost: {error}"));
        }
    }
}

fn begin(supplies: &Supplies) -> Result<Child> {
    let cluster = Package::E2e.program(supplies, "cluster")?;
    let log = target_dir().join("cluster-programs.log");
    say(&format!("meanwhile the cluster's programs are built where they aren't yet: {}", log.display()));
    let log = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut idle = when_idle();
    idle.arg(cluster).arg("build").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    idle.spawn().context("it can't be started")
}

/// Runs what it is told with what the processor has left over: a test that wakes up doesn't wait for it.
fn when_idle() -> Command {
    let schedules = output_of(Command::new("chrt").arg("--version")).is_ok();
    let (program, arguments) = if schedules { ("chrt", ["--idle", "0"]) } else { ("nice", ["-n", "19"]) };
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_run_when_idle_is_run() {
        assert_eq!(output_of(when_idle().args(["echo", "here"])).unwrap(), "here");
    }
}
