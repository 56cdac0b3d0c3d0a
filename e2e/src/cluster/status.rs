//! What a cluster consists of and how it is: programs that have ended, nodes and pods as Kubernetes sees them.

use std::fmt::Write as _;

use super::folder::Record;
use super::running::Running;

/// The whole of it, as text.
///
/// # Errors
/// The API server doesn't answer.
pub fn status(running: &Running) -> anyhow::Result<String> {
    let mut text = programs(&running.records()?.read());
    text.push('\n');
    text += &running.kubectl().run(&["get", "nodes", "--output=wide"])?;
    text.push('\n');
    text += &running.kubectl().run(&["get", "pods", "--all-namespaces", "--output=wide"])?;
    Ok(text)
}

/// A line for each machine.
fn programs(record: &Record) -> String {
    let mut text = String::new();
    for machine in &record.machines {
        let programs = machine.programs.iter().map(|program| {
            let ended = if program.process.is_alive() { "" } else { " (ended)" };
            format!("{}{ended}", program.program.name())
        });
        let programs: Vec<String> = programs.collect();
        // Writing to a String can't fail.
        let _ = writeln!(text, "{:<8} {}", machine.name, programs.join(", "));
    }
    text
}
