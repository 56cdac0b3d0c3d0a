//! The plugin's own configuration: what an operator sets for a whole proxy. Functions aren't configured here.

use serde_json::Value;
use steadfaas_core::envoy::ADMIN_CLUSTER;

/// The plugin's configuration.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    /// The cluster of Envoy's own admin endpoint.
    pub(crate) admin_cluster: String,
    /// Answers get a header that says what the filter state says.
    pub(crate) response_header: bool,
}

impl Configuration {
    /// Reads the configuration; nothing written means the defaults.
    pub(crate) fn read(text: &[u8]) -> Result<Self, String> {
        let mut configuration = Self { admin_cluster: ADMIN_CLUSTER.to_owned(), response_header: false };
        if text.is_empty() {
            return Ok(configuration);
        }
        let written: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        for (key, value) in written.as_object().ok_or("not an object")? {
            match (key.as_str(), value) {
                ("admin_cluster", Value::String(name)) => configuration.admin_cluster.clone_from(name),
                ("response_header", Value::Bool(wanted)) => configuration.response_header = *wanted,
                _ => return Err(format!("`{key}`: admin_cluster, a name, and response_header, true or false, would be right")),
            }
        }
        Ok(configuration)
    }
}
