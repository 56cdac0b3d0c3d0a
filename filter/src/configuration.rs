//! The plugin's own configuration: what an operator sets for a whole proxy. Functions aren't configured here.

use serde::Deserialize;
use steadfaas_core::envoy::ADMIN_CLUSTER;

/// The plugin's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Configuration {
    /// The cluster of Envoy's own admin endpoint.
    pub(crate) admin_cluster: String,
    /// Answers get a header that says what the filter state says.
    pub(crate) response_header: bool,
}

impl Default for Configuration {
    fn default() -> Self {
        Self { admin_cluster: ADMIN_CLUSTER.to_owned(), response_header: false }
    }
}

impl Configuration {
    /// Reads the configuration; nothing written means the defaults.
    pub(crate) fn read(text: &[u8]) -> Result<Self, serde_json::Error> {
        if text.is_empty() { Ok(Self::default()) } else { serde_json::from_slice(text) }
    }
}
