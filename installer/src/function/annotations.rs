//! The annotations of the public contract among all that an object has.

use std::collections::BTreeMap;

/// All annotations of steadfaas begin with it.
pub const PREFIX: &str = "steadfaas.dev/";

/// Where the controller writes how a function is protected, as JSON.
pub const STATUS: &str = "steadfaas.dev/status";

/// Where a user asks for a route of our own; not a part of the policy.
pub const ROUTE: &str = "steadfaas.dev/route";

/// Keys under the prefix that say nothing about the policy.
const NO_SETTINGS: [&str; 2] = [STATUS, ROUTE];

/// Those under the prefix.
pub(super) fn ours(annotations: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let ours = annotations.iter().filter(|(key, _)| key.starts_with(PREFIX));
    ours.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Those that say how to protect the function, without the prefix; misspelt ones too.
pub(super) fn settings(annotations: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let settings = annotations.iter().filter(|(key, _)| is_setting(key));
    settings.filter_map(|(key, value)| Some((key.strip_prefix(PREFIX)?.to_owned(), value.clone()))).collect()
}

/// Whether any says how to protect the function.
pub(super) fn has_settings(annotations: &BTreeMap<String, String>) -> bool {
    annotations.keys().any(|key| is_setting(key))
}

fn is_setting(key: &str) -> bool {
    key.starts_with(PREFIX) && !NO_SETTINGS.contains(&key)
}
