//! Functions and requests that tests talk about.

use std::collections::BTreeMap;

use super::clusters::clusters;

/// Requests.
pub(crate) const GET: &[(&str, &str)] = &[(":method", "GET"), (":path", "/?n=15"), (":authority", "fib")];
pub(crate) const POST: &[(&str, &str)] = &[(":method", "POST"), (":path", "/"), (":authority", "fib")];
pub(crate) const KEYED_POST: &[(&str, &str)] =
    &[(":method", "POST"), (":path", "/"), ("idempotency-key", "7")];
pub(crate) const GRPC: &[(&str, &str)] =
    &[(":method", "POST"), (":path", "/fib.Fib/Compute"), ("content-type", "application/grpc+proto")];

/// Two replicas, in order of their address.
pub(crate) const REPLICAS: [&str; 2] = ["10.0.0.1:8080", "10.0.0.2:8080"];

/// A function: an Envoy cluster, with a policy in its metadata or without.
#[derive(Clone)]
pub(crate) struct Function {
    cluster: String,
    policy: Option<String>,
}

impl Function {
    /// `fib`, whose cluster has no policy.
    pub(crate) fn unprotected() -> Self {
        Self { cluster: "fib".to_owned(), policy: None }
    }

    /// `fib` with settings: `strategy=retry idempotent=true`.
    pub(crate) fn fib(settings: &str) -> Self {
        let setting =
            |setting: &str| setting.split_once('=').map(|(key, value)| (key.to_owned(), value.into()));
        let settings: serde_json::Map<_, _> = settings.split(' ').filter_map(setting).collect();
        let policy = serde_json::json!({"version": 1, "function": "fib", "settings": settings});
        Self::with_policy(&policy.to_string())
    }

    /// `fib` with this text as its policy.
    pub(crate) fn with_policy(text: &str) -> Self {
        Self { policy: Some(text.to_owned()), ..Self::unprotected() }
    }

    /// The same behind a cluster of another name.
    pub(crate) fn in_cluster(self, cluster: &str) -> Self {
        Self { cluster: cluster.to_owned(), ..self }
    }

    /// What the admin endpoint says of it: both replicas are there.
    pub(crate) fn clusters(&self) -> String {
        clusters(&[(&self.cluster, &REPLICAS)])
    }

    /// What the module can read while it is at one of its requests.
    pub(crate) fn properties(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let name = (b"xds\0cluster_name".to_vec(), self.cluster.as_bytes().to_vec());
        let path = b"xds\0cluster_metadata\0filter_metadata\0steadfaas\0policy".to_vec();
        let policy = self.policy.iter().map(|policy| (path.clone(), policy.as_bytes().to_vec()));
        [name].into_iter().chain(policy).collect()
    }
}
