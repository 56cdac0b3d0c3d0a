//! The proxy-wasm filter as this program carries it: its module, what it may call, its own configuration.

use serde_json::{Value, json};
use steadfaas_core::envoy::ADMIN_CLUSTER;

/// The module inside this binary (build.rs says where it comes from).
pub static MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/filter.wasm"));

/// The name of the plugin, of its root context and of its VM: all workers share what is kept under it.
pub const PLUGIN: &str = "steadfaas";

/// What the filter may call and be called for: what it imports and exports, and nothing else. A host function that is
/// missing here refuses whatever it is asked, so this list follows the filter.
pub const CAPABILITIES: [&str; 25] = [
    "proxy_on_configure",
    "proxy_on_tick",
    "proxy_on_request_headers",
    "proxy_on_log",
    "proxy_on_http_call_response",
    "malloc",
    "proxy_abi_version_0_2_1",
    "proxy_log",
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
];

/// What the filter needs beside [`CAPABILITIES`] to write its response header.
pub const RESPONSE_HEADER_CAPABILITIES: [&str; 1] = ["proxy_on_response_headers"];

/// The capabilities as Envoy's configuration wants them: a map from name to (empty) options.
#[must_use]
pub fn capability_restriction(response_header: bool) -> Value {
    let extra: &[&str] = if response_header { &RESPONSE_HEADER_CAPABILITIES } else { &[] };
    let allowed = CAPABILITIES.iter().chain(extra).map(|name| ((*name).to_owned(), json!({})));
    json!({ "allowed_capabilities": allowed.collect::<serde_json::Map<_, _>>() })
}

/// The plugin's own configuration, as the text that the filter reads. `own_routes`: all routes to functions are those of
/// [`crate::standalone`].
#[must_use]
pub fn configuration(response_header: bool, own_routes: bool) -> String {
    json!({ "admin_cluster": ADMIN_CLUSTER, "response_header": response_header, "own_routes": own_routes })
        .to_string()
}
