//! Running other programs: cargo free of the outer cargo's variables, output on stderr, bounded in time.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::workspace_root;

/// How often a bounded program is looked at: far below what a person notices.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How many of a program's last lines an error tells: its reason has some context before it.
const LAST_LINES: usize = 8;

/// How long its last lines may take to come once it has ended: they are in the pipe already.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Tells the user what is being done. On stderr: stdout belongs to what was asked for.
pub fn say(message: &str) {
    eprintln!("xtask: {message}");
}

/// A cargo of the toolchain that runs this one, in the workspace's root.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace_root());
    for name in env::vars_os().map(|(name, _)| name).filter(is_set_by_cargo) {
        command.env_remove(name);
    }
    command
}

/// Whether cargo sets this variable for the programs it runs. Left in, they would look like
/// changes to build scripts that watch them. What users set (`CARGO_HOME`, `CARGO_TARGET_DIR`,
/// `CARGO_NET_OFFLINE`, `RUSTUP_TOOLCHAIN`, …) stays.
fn is_set_by_cargo(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix))
        || ["CARGO", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name.as_ref())
}

/// Runs a program with its output on stderr; anything but success is an error that names it.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    succeeded(command, status)
}

/// As [`run`], with what it said last in the error: the reason, where much else is printed afterwards. It sees no terminal.
pub fn run_heard(command: &mut Command) -> Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let said = BufReader::new(child.stderr.take().context("what it says can't be read")?);
    let (to_us, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in said.split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            eprintln!("{line}");
            // Who asked is gone where somebody else still speaks.
            let _gone = to_us.send(line);
        }
    });
    let ended = succeeded(command, child.wait()?);
    // What it started and left running may keep its stderr: that has no end then.
    let end = Instant::now() + LAST_WORDS;
    let rest = || lines.recv_timeout(end.saturating_duration_since(Instant::now())).ok();
    let said: Vec<String> = std::iter::from_fn(rest).collect();
    let last = said.iter().skip(said.len().saturating_sub(LAST_LINES));
    let last: String = last.map(|line| format!("\n    {line}")).collect();
    ended.map_err(|error| anyhow!("{error}; it said last:{last}"))
}

/// As [`run`], for a program that may hang: it is ended when its time is over.
pub fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return succeeded(command, status);
        }
        if start.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            bail!("`{}` took longer than {} s", shown(command), limit.as_secs());
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// What a program prints, without the white space around it.
pub fn output_of(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    succeeded(command, output.status)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A command as a person would type it: program and arguments, without its variables.
pub fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or(&program).to_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn succeeded(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` failed: {status}", shown(command));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_that_hangs_is_ended_when_its_time_is_over() {
        let start = Instant::now();
        let error = run_within(&mut shell("exec sleep 60"), Duration::from_millis(100)).unwrap_err();
        assert!(error.to_string().contains("took longer"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_failure_names_the_program_and_its_status() {
        let error = run_within(&mut shell("exit 3"), Duration::from_secs(10)).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 3` failed: exit status: 3");
    }

    #[test]
    fn what_a_program_said_last_is_in_its_error_whoever_else_goes_on_speaking() {
        let start = Instant::now();
        let error =
            run_heard(&mut shell("for n in 1 2 3 4 5 6 7 8 9; do echo $n >&2; done; sleep 30 & exit 3"))
                .unwrap_err();
        let said = error.to_string();
        assert!(said.contains("failed: exit status: 3; it said last:\n    2\n"), "{said}");
        assert!(said.ends_with("\n    8\n    9") && !said.contains("\n    1\n"), "{said}");
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("/nowhere/no-such-program")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start no-such-program");
    }

    #[test]
    fn output_comes_without_the_white_space_around_it() {
        assert_eq!(output_of(&mut shell("echo ' here '; echo noise >&2")).unwrap(), "here");
    }

    #[test]
    fn nested_cargo_keeps_the_users_variables_and_loses_cargos_own() {
        for own in ["CARGO", "CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_PRIMARY_PACKAGE"] {
            assert!(is_set_by_cargo(&own.into()), "{own}");
        }
        for users in ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_NET_OFFLINE", "RUSTUP_TOOLCHAIN", "PATH"] {
            assert!(!is_set_by_cargo(&users.into()), "{users}");
        }
    }
}
