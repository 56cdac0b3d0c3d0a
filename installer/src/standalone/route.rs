//! The way from a host to its function, and what a request may do on it.

use serde_json::{Value, json};

use super::{Function, FunctionsFile};
use crate::envoy::protection::retry_policy;

/// The largest request body that can be sent again. Envoy's default is the connection's buffer, 1 MiB: a 3 MB upload
/// then has no failover at all. 16 MiB is well above what FaaS gateways take (6 MB at the largest cloud's) and keeps
/// a hundred uploads at once under 2 GB. Larger ones pass, but are sent once.
const REQUEST_BODY_BUFFER_BYTES: u64 = 16 * 1024 * 1024;

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
        // And the filter sees by a header whether there was a repetition.
        "include_is_timeout_retry_header": true,
        "routes": [{
            "match": { "prefix": "/" },
            "request_body_buffer_limit": REQUEST_BODY_BUFFER_BYTES,
            "route": {
                "cluster": function.name,
                // No deadline of ours: answers may stream for hours (Envoy's default would end them after 15 s).
                "timeout": "0s",
                "retry_policy": retry_policy(&function.policy),
                // A late try starts the next one; which requests have tries that can be late, the filter says.
                "hedge_policy": { "hedge_on_per_try_timeout": true },
            },
        }],
    })
}
