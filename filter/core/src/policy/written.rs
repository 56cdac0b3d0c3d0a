//! A policy as somebody wrote it: a function's name and its settings, all of them text.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{KEYS, KEYS_NOT_BUILT, Placement, PolicyError};

/// The version of the policy's shape that this code writes, and the highest that it reads.
pub const POLICY_VERSION: u32 = 1;

/// Longest function name: a Kubernetes name with its namespace fits, a metric's name stays readable.
const MAX_FUNCTION_NAME: usize = 253;

/// A policy as written: what travels in the metadata of the function's Envoy cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrittenPolicy {
    /// Version of this shape.
    pub version: u32,
    /// The function's name, as metrics and messages show it.
    pub function: String,
    /// The annotations, without their prefix.
    pub settings: BTreeMap<String, String>,
    /// Where the function's replicas are.
    #[serde(skip_serializing_if = "Placement::is_empty")]
    pub placement: Placement,
}

impl WrittenPolicy {
    /// A policy of the current version.
    #[must_use]
    pub fn new(function: impl Into<String>, settings: BTreeMap<String, String>) -> Self {
        Self { version: POLICY_VERSION, function: function.into(), settings, placement: Placement::default() }
    }

    /// Reads the policy from cluster metadata.
    ///
    /// # Errors
    /// [`PolicyError::LaterVersion`] whatever else a later version holds, else [`PolicyError::Unreadable`].
    pub fn from_json(text: &[u8]) -> Result<Self, PolicyError> {
        let unreadable = |detail: &str| PolicyError::Unreadable { detail: detail.to_owned() };
        let policy: Value = serde_json::from_slice(text).map_err(|error| unreadable(&error.to_string()))?;
        let version =
            policy.get("version").and_then(Value::as_u64).ok_or_else(|| unreadable("no `version`"))?;
        if version > u64::from(POLICY_VERSION) {
            return Err(PolicyError::LaterVersion { version });
        }
        let function =
            policy.get("function").and_then(Value::as_str).ok_or_else(|| unreadable("no `function`"))?;
        let mut settings = BTreeMap::new();
        for (key, value) in policy.get("settings").and_then(Value::as_object).into_iter().flatten() {
            let value = value.as_str().ok_or_else(|| unreadable("a setting that isn't text"))?;
            settings.insert(key.clone(), value.to_owned());
        }
        let placement = policy.get("placement").map(Placement::read).unwrap_or_default();
        Ok(Self { placement, ..Self::new(function, settings) })
    }

    /// The policy as cluster metadata carries it.
    ///
    /// # Errors
    /// None that a map of strings can cause; the serialiser's own are passed on.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(|value| value.trim())
    }

    /// What can be said before any value is looked at.
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        if self.function.is_empty()
            || self.function.len() > MAX_FUNCTION_NAME
            || !self.function.bytes().all(fits)
        {
            return Err(PolicyError::BadFunctionName { name: self.function.clone() });
        }
        for (key, value) in &self.settings {
            if !KEYS.contains(&key.as_str()) {
                return Err(PolicyError::UnknownKey { key: key.clone() });
            }
            if KEYS_NOT_BUILT.contains(&key.as_str()) {
                return Err(PolicyError::not_built(key, value));
            }
        }
        Ok(())
    }
}
