//! The listener: what clients reach, and what they may say.

use std::time::Duration;

use serde_json::{Value, json};

use super::{FunctionsFile, Options, RenderError, access_log, local_reply, route};
use crate::envoy::plugin::Plugin;
use crate::envoy::typed::{address, extension, seconds};
use crate::filter::PLUGIN;

/// How long a stream may be silent in both directions. The longest that Knative lets a request take by default
/// (`max-revision-timeout-seconds`); Envoy's own default, 5 min, would cut such a request off.
const STREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(600);

/// No client has this address: it is IPv4's broadcast. As the only range of internal addresses it makes every request
/// an external one, from which Envoy removes `x-envoy-retry-on` and its like. A range is needed: with none, Envoy
/// (run: 1.36.2 and 1.40.0) counts loopback and all private networks as internal and believes what they say in those headers.
const NOBODY: &str = "255.255.255.255";

/// The listener that serves all functions.
pub(super) fn config(file: &FunctionsFile, options: &Options) -> Result<Value, RenderError> {
    let manager = extension(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        connection_manager(file, options)?,
    );
    Ok(json!({
        "name": "functions",
        "address": address(options.listen),
        "filter_chains": [{ "filters": [manager] }],
    }))
}

fn connection_manager(file: &FunctionsFile, options: &Options) -> Result<Value, RenderError> {
    let router =
        extension("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router", json!({}));
    Ok(json!({
        "stat_prefix": "functions",
        // HTTP/1.1, and HTTP/2 by prior knowledge.
        "codec_type": "AUTO",
        "use_remote_address": true,
        "internal_address_config": { "cidr_ranges": [{ "address_prefix": NOBODY, "prefix_len": 32 }] },
        // A client's request id follows the request through everybody's logs; nothing here is decided by it.
        "preserve_external_request_id": true,
        "stream_idle_timeout": seconds(STREAM_IDLE_TIMEOUT),
        "upgrade_configs": [{ "upgrade_type": "websocket" }],
        "access_log": [access_log::stdout()],
        "local_reply_config": local_reply::config(),
        "route_config": route::config(file),
        "http_filters": [filter(options)?, router],
    }))
}

fn filter(options: &Options) -> Result<Value, RenderError> {
    let plugin = Plugin {
        module: &options.module.bytes()?,
        response_header: options.response_header,
        own_routes: true,
        envoy_version: options.envoy_version,
    };
    Ok(extension(PLUGIN, Plugin::KIND, plugin.fields()))
}
