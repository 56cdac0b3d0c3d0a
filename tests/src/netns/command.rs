//! The `ip` command, here or in another namespace.

use std::process::Command;

use anyhow::Context;
use rustix::process::Pid;

/// What `ip <words>` says, in the namespace of `holder` or this process's own.
pub(super) fn ip(holder: Option<Pid>, words: &str) -> anyhow::Result<String> {
    let mut command = match holder {
        Some(holder) => {
            let mut enter = Command::new("nsenter");
            enter.arg(format!("--net=/proc/{}/ns/net", holder.as_raw_pid())).args(["--", "ip"]);
            enter
        }
        None => Command::new("ip"),
    };
    let output = command.args(words.split(' ')).output().context("`ip` (iproute2) can't be started")?;
    let error = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "`ip {words}` failed: {}", error.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
