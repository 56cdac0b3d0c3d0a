//! The way from a host to its function, and what a request may do on it.

use std::time::Duration;

use serde_json::{Value, json};
use steadfaas_core::envoy::{RETRY_BACK_OFF_BASE_MS, RETRY_BACK_OFF_MAX_MS, SAFE_RETRY_ON};

use super::typed::{extension, seconds};
use super::{Function, FunctionsFile};

/// The largest request body that can be sent again. Envoy's default is the connection's buffer, 1 MiB: a 3 MB upload
/// then has no failover at all. 16 MiB is well above what FaaS gateways take (6 MB at the largest cloud's) and keeps
/// a hundred uploads at once under 2 GB. Larger ones pass, but are sent once.
const REQUEST_BODY_BUFFER_BYTES: u64 = 16 * 1024 * 1024;

/// How often Envoy's own choice is made anew when it falls on a replica that this request has tried already. It
/// matters when the filter has no list to give.
/// Three is what Envoy's documentation has in its example.
const OTHER_REPLICA_TRIES: u32 = 3;

/// A virtual host for each function.
pub(super) fn config(file: &FunctionsFile) -> Value {
    let hosts: Vec<Value> = file.functions.iter().map(virtual_host).collect();
    json!({
        "name": "functions",
        // `fib.example.com:8080` is what clients say when the listener isn't on port 80.
        "ignore_port_in_host_matching": true,
        "virtual_hosts": hosts,
    })
}

fn virtual_host(function: &Function) -> Value {
    json!({
        "name": function.name,
        "domains": [function.host.as_deref().unwrap_or("*")],
        // The function sees `x-envoy-attempt-count`: 2 and up is a repetition.
        "include_request_attempt_count": true,
        "routes": [{
            "match": { "prefix": "/" },
            "request_body_buffer_limit": REQUEST_BODY_BUFFER_BYTES,
            "route": {
                "cluster": function.name,
                // No deadline of ours: answers may stream for hours (Envoy's default would end them after 15 s).
                "timeout": "0s",
                "retry_policy": retry_policy(function),
                // A late try starts the next one; which requests have tries that can be late, the filter says.
                "hedge_policy": { "hedge_on_per_try_timeout": true },
            },
        }],
    })
}

/// What holds for every request, also for those that must not run twice; the filter adds the rest by header.
fn retry_policy(function: &Function) -> Value {
    json!({
        "retry_on": SAFE_RETRY_ON,
        "num_retries": function.policy.retries(),
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
