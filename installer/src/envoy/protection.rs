//! How a function's replicas are used: the fields of its cluster that don't say who they are.

use std::time::Duration;

use serde_json::{Value, json};
use steadfaas_core::envoy::{
    METADATA_NAMESPACE, METADATA_POLICY, REPLICAS_HEADER, RETRY_BACK_OFF_BASE_MS, RETRY_BACK_OFF_MAX_MS,
    SAFE_RETRY_ON,
};
use steadfaas_core::policy::{Policy, WrittenPolicy};

use super::health_check;
use super::typed::{any, extension, seconds, with};

/// Longest wait for a connection. A lost node answers nothing, so each attempt to reach it costs this much until the
/// replica is set aside; within a data centre a connection takes well under a millisecond, and a lost SYN is
/// repeated only after 1 s.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_millis(100);

/// The same between Istio's proxies, where a connection is there only once both have shown their certificates: with 15 to
/// 28 programs waiting for two cores up to 4 of 1,200 requests failed of 100 ms when the standby took over.
pub(crate) const MESH_CONNECT_TIMEOUT: Duration = Duration::from_millis(250);

/// How long an unused connection to a replica is kept. Node's and uvicorn's servers close theirs after 5 s; a request
/// that is written while the other side closes is lost, and fails if it must not run twice.
const UPSTREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The kernel asks a silent connection's other side after 10 s, then every 5 s, and gives up after three: a stream
/// that hangs on a lost node ends after 25 s instead of the idle timeout's ten minutes. A frozen process still has a
/// kernel that answers.
const TCP_KEEPALIVE: (u32, u32, u32) = (10, 5, 3);

/// Share of well replicas, in percent, below which Envoy's own choice takes all. Of 0 it would answer 503 without a
/// try when every check fails; of its default, 50, it would send to replicas that are out while others are well.
const PANIC_THRESHOLD: u32 = 1;

/// How often Envoy's own choice is made anew when it falls on a replica that this request has tried already. It
/// matters when the filter has no list to give.
/// Three is what Envoy's documentation has in its example.
const OTHER_REPLICA_TRIES: u32 = 3;

/// What is spoken to replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
    /// What the caller speaks.
    AsCaller,
}

/// How a function's replicas are used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Protection<'a> {
    /// The policy as the filter reads it.
    pub(crate) written: &'a WrittenPolicy,
    /// The same, for what Envoy does of it.
    pub(crate) policy: &'a Policy,
    /// What is spoken to them.
    pub(crate) spoken: Spoken,
    /// Longest wait for a connection to them.
    pub(crate) connect_timeout: Duration,
    /// The host that health checks ask for.
    pub(crate) check_host: Option<&'a str>,
}

impl Protection<'_> {
    /// The fields of the cluster, an object. Where a function's routes can't be told apart, the cluster has the
    /// `retries` too: they count before the route's.
    ///
    /// # Errors
    /// The policy can't be written as JSON.
    pub(crate) fn cluster_fields(&self, retries: bool) -> Result<Value, serde_json::Error> {
        let (keepalive_time, keepalive_interval, keepalive_probes) = TCP_KEEPALIVE;
        let fields = json!({
            "connect_timeout": seconds(self.connect_timeout),
            "load_balancing_policy": replica_choice(),
            "common_lb_config": { "healthy_panic_threshold": { "value": PANIC_THRESHOLD } },
            "upstream_connection_options": { "tcp_keepalive": {
                "keepalive_time": keepalive_time,
                "keepalive_interval": keepalive_interval,
                "keepalive_probes": keepalive_probes,
            } },
            "typed_extension_protocol_options": self.protocol_options(retries),
            "metadata": { "filter_metadata": {
                (METADATA_NAMESPACE): { (METADATA_POLICY): self.written.to_json()? },
            } },
        });
        Ok(match health_check::config(&self.policy.probe, self.spoken, self.check_host) {
            Some(checks) => with(fields, "health_checks", checks),
            None => fields,
        })
    }

    fn protocol_options(&self, retries: bool) -> Value {
        let kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
        let common = json!({ "idle_timeout": seconds(UPSTREAM_IDLE_TIMEOUT) });
        let options = json!({ "common_http_protocol_options": common });
        let (key, spoken) = match self.spoken {
            Spoken::Http1 => ("explicit_http_config", json!({ "http_protocol_options": {} })),
            Spoken::Http2 => ("explicit_http_config", json!({ "http2_protocol_options": {} })),
            Spoken::AsCaller => (
                "use_downstream_protocol_config",
                json!({ "http_protocol_options": {}, "http2_protocol_options": {} }),
            ),
        };
        let options = with(options, key, spoken);
        let options =
            if retries { with(options, "retry_policy", retry_policy(self.policy)) } else { options };
        json!({ (kind): any(kind, options) })
    }
}

/// What holds for every request, also for those that must not run twice; the filter adds the rest by header.
pub(crate) fn retry_policy(policy: &Policy) -> Value {
    json!({
        "retry_on": SAFE_RETRY_ON,
        "num_retries": policy.retries(),
        "retry_back_off": {
            "base_interval": seconds(Duration::from_millis(RETRY_BACK_OFF_BASE_MS)),
            "max_interval": seconds(Duration::from_millis(RETRY_BACK_OFF_MAX_MS)),
        },
        "retry_host_predicate": [extension(
            "envoy.retry_host_predicates.previous_hosts",
            "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
            json!({}),
        )],
        "host_selection_retry_max_attempts": OTHER_REPLICA_TRIES,
    })
}

/// The replicas that the filter lists, in its order; where it lists none, the less busy of two that are drawn. Round
/// robin wouldn't do: with two replicas and an even number of tries a request that waits meets the same one each time.
fn replica_choice() -> Value {
    let policy = |name, kind, fields| json!({ "typed_extension_config": extension(name, kind, fields) });
    let fallback = policy(
        "envoy.load_balancing_policies.least_request",
        "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest",
        json!({}),
    );
    json!({ "policies": [policy(
        "envoy.load_balancing_policies.override_host",
        "envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost",
        json!({
            "override_host_sources": [{ "header": REPLICAS_HEADER }],
            "fallback_policy": { "policies": [fallback] },
        }),
    )] })
}
