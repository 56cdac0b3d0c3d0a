//! What a proxy says of itself, out of its admin endpoint's answers.

use std::collections::BTreeMap;

use serde_json::Value;
use steadfaas_core::admin::ClusterHosts;
use steadfaas_core::envoy::{EXACT_TIMERS, METADATA_NAMESPACE, METADATA_POLICY};

use super::Metrics;
use crate::filter::PLUGIN;

/// All that is known of one proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The filter's state.
    pub filter: FilterState,
    /// Which Istio and Envoy it is, and what that one can do.
    pub identity: Identity,
    /// Clusters that carry a policy.
    pub clusters: Vec<ProtectedCluster>,
    /// The hosts of those.
    pub hosts: Vec<ClusterHosts>,
    /// What the filter counted, by function.
    pub metrics: BTreeMap<String, Metrics>,
}

/// Whether a proxy has the filter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FilterState {
    /// It doesn't.
    #[default]
    Missing,
    /// It has it, and its VM runs.
    Loaded,
    /// It has it, but no VM runs: every request is answered with an error or passes, as the failure policy says.
    Failed {
        /// How often the VM failed to start anew.
        failures: u64,
    },
}

/// Which proxy it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Istio's version, as its agent says.
    pub istio: Option<String>,
    /// Envoy's version.
    pub envoy: Option<String>,
    /// It has the load-balancing policy by which the filter chooses replicas.
    pub chooses_replicas: bool,
    /// It makes a label of the tag `function`.
    pub labels_functions: bool,
    /// Istio's agent was told to start it with exact timers ([`EXACT_TIMERS`]).
    pub exact_timers: bool,
}

/// A cluster that carries a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedCluster {
    /// Its name in Envoy.
    pub name: String,
    /// The function that its policy is of.
    pub function: String,
    /// The policy, as it travels.
    pub policy: String,
    /// Its replicas are chosen by the filter.
    pub chooses_replicas: bool,
    /// How many load-balancing policies it lists: more than one of each means that somebody else's were appended.
    pub balancers: usize,
    /// The base of its own retry back-off in milliseconds, if it has one: routes of Istio wait 25 ms.
    pub back_off_ms: Option<u64>,
}

/// The policy by which the filter chooses replicas.
const OVERRIDE_HOST: &str = "envoy.load_balancing_policies.override_host";

/// Where a cluster's HTTP options stand.
const HTTP_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// The filter's state, out of `/stats?filter=wasm` and the proxy's list of discovered filters, if it has one.
#[must_use]
pub(super) fn read_filter(stats: &str, discovered: Option<&str>) -> FilterState {
    let stat = |name: &str| {
        let line = stats.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.and_then(|value| value.trim().parse::<u64>().ok())
    };
    let failures = stat(&format!("wasm.{PLUGIN}.vm_reload_failure"));
    let running = stat("wasm.envoy.wasm.runtime.v8.active").unwrap_or(0);
    let listed = names_filter(discovered);
    match failures {
        None if !listed => FilterState::Missing,
        Some(0) if running > 0 => FilterState::Loaded,
        failures => FilterState::Failed { failures: failures.unwrap_or(0) },
    }
}

/// Whether our filter is named in a part of the proxy's configuration.
#[must_use]
pub(super) fn names_filter(part: Option<&str>) -> bool {
    part.is_some_and(|dump| dump.contains(&format!("\"{PLUGIN}\"")))
}

/// Where Istio's agent says which variables it was told to give Envoy.
const NODE_VARIABLES: &str = "/configs/0/bootstrap/node/metadata/PROXY_CONFIG/proxyMetadata";

/// Which proxy it is, out of `/config_dump?mask=bootstrap`.
///
/// # Errors
/// The parser's own.
pub(super) fn read_identity(dump: &str) -> Result<Identity, serde_json::Error> {
    let dump: Value = serde_json::from_str(dump)?;
    let text = |path: &str| dump.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let list = |path: &str| dump.pointer(path).and_then(Value::as_array).into_iter().flatten();
    let named = |key: &'static str, name: &'static str| {
        move |entry: &Value| entry.get(key).and_then(Value::as_str) == Some(name)
    };
    let version = dump.pointer("/configs/0/bootstrap/node/user_agent_build_version/version");
    let number =
        |key: &str| version.and_then(|version| version.get(key)).and_then(Value::as_u64).unwrap_or(0);
    Ok(Identity {
        istio: text("/configs/0/bootstrap/node/metadata/ISTIO_VERSION"),
        envoy: version
            .map(|_| format!("{}.{}.{}", number("major_number"), number("minor_number"), number("patch"))),
        chooses_replicas: list("/configs/0/bootstrap/node/extensions").any(named("name", OVERRIDE_HOST)),
        labels_functions: list("/configs/0/bootstrap/stats_config/stats_tags")
            .any(named("tag_name", "function")),
        exact_timers: text(&format!("{NODE_VARIABLES}/{}", EXACT_TIMERS.0)).is_some(),
    })
}

/// The clusters that carry a policy, out of `/config_dump?resource=dynamic_active_clusters`.
///
/// # Errors
/// The parser's own.
pub(super) fn read_clusters_dump(dump: &str) -> Result<Vec<ProtectedCluster>, serde_json::Error> {
    let dump: Value = serde_json::from_str(dump)?;
    let clusters = dump.get("configs").and_then(Value::as_array).into_iter().flatten();
    Ok(clusters.filter_map(|entry| cluster(entry.get("cluster")?)).collect())
}

fn cluster(cluster: &Value) -> Option<ProtectedCluster> {
    let metadata = cluster.pointer("/metadata/filter_metadata")?;
    let policy = metadata.get(METADATA_NAMESPACE)?.get(METADATA_POLICY)?.as_str()?;
    let read: Value = serde_json::from_str(policy).unwrap_or_default();
    let balancers = cluster.pointer("/load_balancing_policy/policies").and_then(Value::as_array);
    let names = balancers
        .into_iter()
        .flatten()
        .filter_map(|policy| policy.pointer("/typed_extension_config/name").and_then(Value::as_str));
    let first = names.clone().next();
    let options = cluster.get("typed_extension_protocol_options").and_then(|all| all.get(HTTP_OPTIONS));
    let back_off = options.and_then(|options| options.pointer("/retry_policy/retry_back_off/base_interval"));
    Some(ProtectedCluster {
        name: cluster.get("name")?.as_str()?.to_owned(),
        function: read.get("function").and_then(Value::as_str).unwrap_or_default().to_owned(),
        policy: policy.to_owned(),
        chooses_replicas: first == Some(OVERRIDE_HOST),
        balancers: names.count(),
        back_off_ms: back_off.and_then(Value::as_str).and_then(milliseconds),
    })
}

/// `0.001s` as milliseconds.
fn milliseconds(text: &str) -> Option<u64> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    // Durations in a configuration are far below what a float keeps exactly; negative ones Envoy refuses.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some((seconds * 1000.0).round() as u64)
}

#[cfg(test)]
pub(crate) mod fixtures {
    //! What the gateway of a real cluster said.

    use super::*;
    use crate::proxy::read_metrics;

    const STATS: &str = include_str!("fixtures/stats.txt");
    const IDENTITY: &str = include_str!("fixtures/identity.json");
    const CLUSTERS: &str = include_str!("fixtures/clusters.json");

    /// All of it.
    pub(crate) fn report() -> Report {
        Report {
            filter: read_filter(STATS, None),
            identity: read_identity(IDENTITY).unwrap(),
            clusters: read_clusters_dump(CLUSTERS).unwrap(),
            hosts: Vec::new(),
            metrics: read_metrics(STATS),
        }
    }

    #[test]
    fn a_gateway_that_has_the_filter_says_so() {
        let report = report();
        assert_eq!(report.filter, FilterState::Loaded);
        assert_eq!(report.identity.envoy.as_deref(), Some("1.40.0"));
        assert!(report.identity.chooses_replicas);
        assert!(!report.identity.labels_functions && !report.identity.exact_timers);
        let [cluster] = report.clusters.as_slice() else { panic!("{:?}", report.clusters) };
        assert_eq!(cluster.name, "outbound|80||fib.default.svc.cluster.local");
        assert_eq!(cluster.function, "default/fib");
        assert_eq!((cluster.chooses_replicas, cluster.balancers, cluster.back_off_ms), (true, 1, Some(1)));
    }

    #[test]
    fn without_its_counters_the_filter_is_missing_and_without_a_vm_it_failed() {
        assert_eq!(read_filter("wasm.remote_load_cache_hits: 0\n", None), FilterState::Missing);
        let dead = STATS.replace("v8.active: 4", "v8.active: 0");
        assert_eq!(read_filter(&dead, None), FilterState::Failed { failures: 0 });
        let failing = STATS.replace("vm_reload_failure: 0", "vm_reload_failure: 3");
        assert_eq!(read_filter(&failing, None), FilterState::Failed { failures: 3 });
        let listed = r#"{"configs": [{"ecds_filter": {"name": "steadfaas"}}]}"#;
        assert_eq!(read_filter("", Some(listed)), FilterState::Failed { failures: 0 });
    }
}
