//! The plugin's own configuration: what an operator sets for a whole proxy. Functions aren't configured here.

use crate::envoy::ADMIN_CLUSTER;
use serde_json::Value;

/// The plugin's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The cluster of Envoy's own admin endpoint.
    pub admin_cluster: String,
    /// Answers get a header that says what the filter state says.
    pub response_header: bool,
    /// All routes to functions are those that `steadfaas standalone` writes, only the router comes behind the filter, and that
    /// spares requests some calls of the proxy:
    /// - they have `hedge_policy.hedge_on_per_try_timeout`, so no request has to say it;
    /// - their virtual hosts have `include_is_timeout_retry_header`, so one attempt is told by a header that isn't there;
    /// - each virtual host has one route, for all paths: the authority says which cluster a request goes to.
    pub own_routes: bool,
}

impl Default for Configuration {
    fn default() -> Self {
        Self { admin_cluster: ADMIN_CLUSTER.to_owned(), response_header: false, own_routes: false }
    }
}

impl Configuration {
    /// Reads the configuration; nothing written means the defaults.
    ///
    /// # Errors
    /// What is wrong with it, naming the key.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let mut configuration = Self::default();
        if text.is_empty() {
            return Ok(configuration);
        }
        let written: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        for (key, value) in written.as_object().ok_or("not an object")? {
            match (key.as_str(), value) {
                ("admin_cluster", Value::String(name)) => configuration.admin_cluster.clone_from(name),
                ("response_header", Value::Bool(wanted)) => configuration.response_header = *wanted,
                ("own_routes", Value::Bool(holds)) => configuration.own_routes = *holds,
                _ => {
                    return Err(format!(
                        "`{key}`: admin_cluster, a name, and response_header and own_routes, true or false, would be \
                         right"
                    ));
                }
            }
        }
        Ok(configuration)
    }

    /// What counts when this one comes to a virtual machine beside `older`, whose requests go on, and may be the only ones
    /// some day. Routes are our own where both say so: one that doesn't hedge, and a request that doesn't say it either, would
    /// break off the attempt that is late instead of starting another one beside it. Whose a request is isn't asked: that
    /// would cost each a call of the proxy.
    #[must_use]
    pub fn beside(self, older: &Self) -> Self {
        Self { own_routes: self.own_routes && older.own_routes, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_written_means_the_defaults() {
        let defaults = Configuration {
            admin_cluster: "prometheus_stats".to_owned(),
            response_header: false,
            own_routes: false,
        };
        assert_eq!(Configuration::read(b""), Ok(defaults.clone()));
        assert_eq!(Configuration::read(b"{}"), Ok(defaults));
    }

    #[test]
    fn routes_are_our_own_where_all_configurations_of_the_machine_say_so() {
        let says = |own_routes| Configuration { own_routes, ..Configuration::default() };
        for (newer, older) in [(true, true), (true, false), (false, true), (false, false)] {
            assert_eq!(says(newer).beside(&says(older)).own_routes, newer && older);
        }
        let newer = Configuration { admin_cluster: "admin".to_owned(), ..says(true) };
        assert_eq!(newer.beside(&says(false)).admin_cluster, "admin", "of the rest the newer counts");
    }

    #[test]
    fn all_keys_are_read_and_others_refused_by_name() {
        let text = br#"{"admin_cluster":"admin","response_header":true,"own_routes":true}"#;
        let read = Configuration::read(text).unwrap();
        assert_eq!(
            (read.admin_cluster.as_str(), read.response_header, read.own_routes),
            ("admin", true, true)
        );
        for wrong in [r#"{"admin":"x"}"#, r#"{"response_header":"yes"}"#] {
            let key = wrong.split('"').nth(1).unwrap();
            assert!(
                Configuration::read(wrong.as_bytes()).unwrap_err().starts_with(&format!("`{key}`:")),
                "{wrong}"
            );
        }
        assert!(Configuration::read(b"[]").is_err());
        assert!(Configuration::read(b"{").is_err());
    }
}
