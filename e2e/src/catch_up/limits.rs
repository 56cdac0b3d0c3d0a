//! An administrator writes limits that can't be read.

use serde_json::json;

use super::{PATIENCE, Stage, seconds};
use crate::cluster::steadfaas::NAMESPACE;

const NAME: &str = "steadfaas-limits";

/// What must be said of it.
const WORDS: &str = "entry `elsewhere`: `tolerate` is `many`: a whole number such as 2 would be right";

/// An Event on the ConfigMap says so, and functions of other namespaces keep what they have.
pub(super) fn said(stage: &Stage<'_>) -> anyhow::Result<String> {
    let kubectl = stage.running.kubectl();
    let before = stage.functions.filters()?;
    let map = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": NAME, "namespace": NAMESPACE },
        "data": { "elsewhere": "tolerate: many" },
    });
    kubectl.apply(&map.to_string())?;
    let namespace = format!("--namespace={NAMESPACE}");
    let regarding = format!("--field-selector=type=Warning,involvedObject.name={NAME}");
    let events = ["get", "events", &namespace, &regarding, "--output=jsonpath={.items[*].message}"];
    let is_said = || Ok(kubectl.run(&events)?.contains(WORDS));
    let took = PATIENCE.until(&format!("no Event says that {WORDS}"), is_said)?;
    kubectl.run(&["delete", "configmap", &namespace, NAME])?;
    anyhow::ensure!(stage.functions.filters()? == before, "functions of another namespace were touched");
    Ok(format!("said in an Event after {}", seconds(took)))
}
