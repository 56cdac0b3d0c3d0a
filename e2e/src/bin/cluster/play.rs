//! `cargo cluster play`: scenarios, their reports, and the evidence of those that fail.

use std::io::Write as _;

use anyhow::Context as _;
use serde_json::json;
use steadfaas_e2e::cluster::evidence::Evidence;
use steadfaas_e2e::cluster::faults;
use steadfaas_e2e::cluster::layers;
use steadfaas_e2e::cluster::running::{Running, Theirs};
use steadfaas_e2e::scenario::{self, Interrupted, Report, Scenario, catalogue};
use xtask::command::say;

use crate::cli::Play;

/// Plays all that was asked for, and fails if one of them does.
pub(crate) fn play(asked: &Play) -> anyhow::Result<()> {
    let scenarios = catalogue::named(&asked.scenarios)?;
    let running = find(asked)?;
    let mut failed = Vec::new();
    for scenario in &scenarios {
        if let (Some(_), Some(why)) = (running.theirs(), scenario.why_not_elsewhere()) {
            say(&format!("{} is left out: {why}", scenario.name));
            continue;
        }
        if let Err(error) = one(&running, scenario, &protected(&asked.with, scenario), asked.json) {
            if error.is::<Interrupted>() {
                return Err(error.context(scenario.name));
            }
            eprintln!("cluster: {error:#}");
            failed.push(scenario.name);
        }
    }
    anyhow::ensure!(
        failed.is_empty(),
        "{} of {} failed: {}",
        failed.len(),
        scenarios.len(),
        failed.join(", ")
    );
    Ok(())
}

fn find(asked: &Play) -> anyhow::Result<Running> {
    if let Some(kubeconfig) = &asked.kubeconfig {
        let theirs = Theirs { gateway: asked.gateway, image: asked.image.clone() };
        return Running::of_user(kubeconfig, theirs);
    }
    let running = Running::find()?;
    faults::take_back(&running)?;
    Ok(running)
}

/// Each word of `--with` is a trial, its keys are apart by commas; without, the scenario says.
fn protected(with: &[String], scenario: &Scenario) -> Vec<Vec<String>> {
    if with.is_empty() {
        let usual = scenario.stage.protections().iter();
        return usual.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect()).collect();
    }
    with.iter().map(|keys| keys.split(',').map(|key| key.trim().to_owned()).collect()).collect()
}

fn one(running: &Running, scenario: &Scenario, protected: &[Vec<String>], json: bool) -> anyhow::Result<()> {
    if running.theirs().is_none() {
        layers::add(running, scenario.stage.layers())?;
    }
    let mut report = Report::new(scenario);
    let played = scenario::run(running, scenario, protected, &mut report);
    let mut stdout = std::io::stdout();
    if report.trials.is_empty() {
        // It was over before anything was felt.
    } else if json {
        writeln!(stdout, "{}", serde_json::to_string(&report)?)?;
    } else {
        write!(stdout, "{report}")?;
    }
    let played = played.or_else(|error| {
        if error.is::<Interrupted>() {
            return Err(error);
        }
        let evidence = Evidence::of(scenario.name)?;
        gather(&evidence, running, scenario, &report).context("evidence can't be gathered")?;
        Err(error.context(format!(
            "{} failed; what was there then is in {}",
            scenario.name,
            evidence.folder().display()
        )))
    });
    let cleared = scenario::clear(running, scenario);
    played.and(cleared)
}

fn gather(
    evidence: &Evidence,
    running: &Running,
    scenario: &Scenario,
    report: &Report,
) -> anyhow::Result<()> {
    evidence.add("report.json", Ok(serde_json::to_string_pretty(report)?))?;
    for (number, trial) in report.trials.iter().enumerate() {
        let requests = trial.felt.outcomes.iter().map(|outcome| {
            let (due, latency) = (outcome.due.as_secs_f64(), outcome.latency.as_secs_f64());
            json!({ "request": outcome.index, "due_s": due, "latency_s": latency, "got": outcome.got.name() })
                .to_string()
        });
        let lines = requests.collect::<Vec<_>>().join("\n");
        evidence.add(&format!("load-{number}.jsonl"), Ok(lines))?;
    }
    evidence.gather(running, &scenario.stage.proxy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_apart_by_commas_and_each_with_is_a_trial() {
        let with = ["strategy: hedged, budget: 20%".to_owned(), "strategy: retry".to_owned()];
        assert_eq!(
            protected(&with, &scenario::catalogue::ALL[0]),
            [vec!["strategy: hedged", "budget: 20%"], vec!["strategy: retry"]]
        );
    }
}
