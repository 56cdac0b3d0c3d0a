//! The access log: one JSON object a request, on stdout, with what steadfaas did.

use serde_json::{Value, json};
use steadfaas_core::envoy::FILTER_STATE;

use crate::envoy::typed::extension;

/// A line for every request. Empty fields are left out, so `steadfaas` is there when it says something (Envoy
/// 1.36 writes `null` otherwise).
pub(super) fn stdout() -> Value {
    let format = json!({
        "time": "%START_TIME%",
        "method": "%REQ(:METHOD)%",
        "host": "%REQ(:AUTHORITY)%",
        "path": "%REQ(:PATH)%",
        "protocol": "%PROTOCOL%",
        "client": "%DOWNSTREAM_REMOTE_ADDRESS%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "function": "%UPSTREAM_CLUSTER%",
        "replica": "%UPSTREAM_HOST%",
        "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        // The filter declares it as protobuf text, so that it shows as such: an object whose `value` is the sentence.
        "steadfaas": format!("%FILTER_STATE(wasm.{FILTER_STATE})%"),
        "status": "%RESPONSE_CODE%",
        "flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "duration_ms": "%DURATION%",
        "bytes_received": "%BYTES_RECEIVED%",
        "bytes_sent": "%BYTES_SENT%",
    });
    extension(
        "envoy.access_loggers.stdout",
        "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
        json!({ "log_format": { "json_format": format, "omit_empty_values": true } }),
    )
}
