//! The proxy-wasm filter as this program carries it: its module, what it may call, its own configuration.

use serde_json::{Value, json};
use steadfaas_core::envoy::ADMIN_CLUSTER;

/// The module inside this binary (build.rs says where it comes from).
pub static MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/filter.wasm"));

/// The name of the plugin, of its root context and of its VM: all workers share what is kept under it.
pub const PLUGIN: &str = "steadfaas";

/// What the filter may call and be called for. The SDK exports every callback, and Envoy calls whatever is exported
/// and allowed: leaving the rest out saves a quarter of the filter's CPU (25 us -> 18 us a request in a run with four
/// headers set). A host function that is missing here makes the SDK panic, so this list follows the filter.
pub const CAPABILITIES: [&str; 32] = [
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_tick",
    "proxy_on_context_create",
    "proxy_on_request_headers",
    "proxy_on_log",
    "proxy_on_delete",
    "proxy_on_http_call_response",
    "proxy_on_memory_allocate",
    "malloc",
    "proxy_abi_version_0_2_1",
    "proxy_log",
    "proxy_get_log_level",
    "proxy_get_current_time_nanoseconds",
    "proxy_set_tick_period_milliseconds",
    "proxy_get_property",
    "proxy_set_property",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_remove_header_map_value",
    "proxy_get_buffer_bytes",
    "proxy_get_shared_data",
    "proxy_set_shared_data",
    "proxy_define_metric",
    "proxy_increment_metric",
    "proxy_record_metric",
    "proxy_get_metric",
    "proxy_http_call",
    "proxy_call_foreign_function",
    "proxy_set_effective_context",
    "proxy_get_status",
];

/// What the filter needs beside [`CAPABILITIES`] to write its response header.
pub const RESPONSE_HEADER_CAPABILITIES: [&str; 2] =
    ["proxy_on_response_headers", "proxy_add_header_map_value"];

/// The capabilities as Envoy's configuration wants them: a map from name to (empty) options.
#[must_use]
pub fn capability_restriction(response_header: bool) -> Value {
    let extra: &[&str] = if response_header { &RESPONSE_HEADER_CAPABILITIES } else { &[] };
    let allowed = CAPABILITIES.iter().chain(extra).map(|name| ((*name).to_owned(), json!({})));
    json!({ "allowed_capabilities": allowed.collect::<serde_json::Map<_, _>>() })
}

/// The plugin's own configuration, as the text that the filter reads.
#[must_use]
pub fn configuration(response_header: bool) -> String {
    json!({ "admin_cluster": ADMIN_CLUSTER, "response_header": response_header }).to_string()
}
