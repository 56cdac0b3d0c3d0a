//! One of the control plane's programs is ended, and started again: as it was, or another way.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::cluster::control;
use crate::cluster::machine::Program;
use crate::cluster::running::Running;

pub(in crate::cluster) const API_SERVER: &str = "kube-apiserver";

const CONTROLLERS: &str = "kube-controller-manager";

/// Both answer some 4 s after their start; the rest is for a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_millis(200);

pub(in crate::cluster) fn stop(running: &Running, program: &str) -> anyhow::Result<()> {
    running.machine(control::NAME)?.stop_program(program, running.records()?)
}

/// How a program was started last.
pub(in crate::cluster) fn known(running: &Running, program: &str) -> anyhow::Result<Program> {
    let known = running.records()?.program(control::NAME, program);
    Ok(known.with_context(|| format!("there is no {program}"))?.program)
}

/// Ends what runs under the name of a program, and starts it like this.
pub(in crate::cluster) fn restart(running: &Running, program: &Program) -> anyhow::Result<()> {
    stop(running, program.name())?;
    running.machine(control::NAME)?.start_program(program, running.records()?)?;
    start(running, program.name())
}

/// Starts it and waits until it answers.
pub(in crate::cluster) fn start(running: &Running, program: &str) -> anyhow::Result<()> {
    let records = running.records()?;
    running.machine(control::NAME)?.start_again(program, records)?;
    let began = Instant::now();
    while !answers(running, program) {
        let waits = began.elapsed() < PATIENCE && records.runs(control::NAME, program);
        anyhow::ensure!(waits, "{program} doesn't answer again; `cargo cluster logs {program}` may say why");
        std::thread::sleep(ASK_EVERY);
    }
    if program == API_SERVER { start_anew(running, CONTROLLERS) } else { Ok(()) }
}

/// The garbage collector was seen to lose track of what is deleted soon after the API server is back: pods of a Deployment
/// that was gone stayed for minutes. No later trial shall find them.
fn start_anew(running: &Running, program: &str) -> anyhow::Result<()> {
    let (control, records) = (running.machine(control::NAME)?, running.records()?);
    control.stop_program(program, records)?;
    control.start_again(program, records)
}

fn answers(running: &Running, program: &str) -> bool {
    if program == API_SERVER {
        return running.kubectl().run(&["get", "--raw", "/readyz"]).is_ok();
    }
    // Proxies are told by this port; whoever takes connections there has read the cluster's objects.
    running
        .machine(control::NAME)
        .is_ok_and(|control| control.run("sh", &["-c", "ss -Hltn 'sport = :15012' | grep -q ."]).is_ok())
}
