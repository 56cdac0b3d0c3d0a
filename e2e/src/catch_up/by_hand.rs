//! Somebody edits and deletes EnvoyFilters of functions by hand.

use super::{Stage, seconds};

/// What somebody may do to an EnvoyFilter, as kubectl takes it.
const EDITS: [&[&str]; 5] = [
    &["patch", "--type=merge", r#"--patch={"spec":{"configPatches":[]}}"#],
    // A field that the controller has no word about.
    &["patch", "--type=merge", r#"--patch={"spec":{"workloadSelector":{"labels":{"app":"none"}}}}"#],
    &["label", "steadfaas.dev/part-", "steadfaas.dev/namespace=default", "--overwrite"],
    &["annotate", "steadfaas.dev/policy=none", "--overwrite"],
    &["delete"],
];

/// So many times one is deleted as soon as it was written, before anybody may have seen that.
const RACES: usize = 3;

/// Each edit on another function's.
pub(super) fn edited(stage: &Stage<'_>) -> anyhow::Result<String> {
    let before = stage.functions.filters()?;
    for (number, edit) in EDITS.iter().enumerate() {
        edit_one(stage, number, edit)?;
    }
    for number in EDITS.len()..EDITS.len() + RACES {
        // It is written for `retry`, deleted, and written for what it was.
        stage.functions.annotate(number..number + 1, "retry")?;
        edit_one(stage, number, &["delete"])?;
        stage.functions.annotate(number..number + 1, "active-standby")?;
        edit_one(stage, number, &["delete", "--ignore-not-found"])?;
    }
    let took = stage.until("what was edited isn't as it was", |filters| {
        before
            .iter()
            .all(|(name, before)| filters.get(name).is_some_and(|filter| filter.content == before.content))
    })?;
    Ok(format!("{} edits, all back after {}", EDITS.len() + RACES, seconds(took)))
}

fn edit_one(stage: &Stage<'_>, number: usize, edit: &[&str]) -> anyhow::Result<()> {
    let name = stage.functions.filter_name(number);
    let mut words = vec!["--namespace=istio-system"];
    let (verb, rest) = edit.split_first().unwrap_or((&"get", &[]));
    words.extend([*verb, "envoyfilter", &name]);
    words.extend(rest);
    stage.running.kubectl().run(&words).map(drop)
}
