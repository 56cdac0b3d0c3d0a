//! The filter in Envoy's chain.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::typed::{any, extension, seconds, with};
use super::{Options, RenderError};
use crate::filter::{self, PLUGIN};

/// How long a worker waits before it loads the module again after a panic (doubled up to ten times this). Requests
/// meanwhile get a 503, so it is the shortest that still isn't a busy loop: loading takes about 2 ms.
const RELOAD_BACK_OFF: Duration = Duration::from_millis(10);

/// The HTTP filter.
pub(super) fn http_filter(options: &Options) -> Result<Value, RenderError> {
    let restriction = filter::capability_restriction(options.response_header);
    let vm = json!({
        "vm_id": PLUGIN,
        // The only one that stock Envoy has.
        "runtime": "envoy.wasm.runtime.v8",
        "code": { "local": { "inline_bytes": STANDARD.encode(options.module.bytes()?) } },
    });
    let plugin = json!({
        "name": PLUGIN,
        "root_id": PLUGIN,
        "configuration": any(
            "google.protobuf.StringValue",
            json!({ "value": filter::configuration(options.response_header) }),
        ),
        "failure_policy": "FAIL_RELOAD",
        "reload_config": { "backoff": { "base_interval": seconds(RELOAD_BACK_OFF) } },
    });
    let restrict = |object| with(object, "capability_restriction_config", restriction);
    let (plugin, vm) = if options.envoy_version.restricts_the_vm() {
        (plugin, restrict(vm))
    } else {
        (restrict(plugin), vm)
    };
    let config = with(plugin, "vm_config", vm);
    Ok(extension(PLUGIN, "envoy.extensions.filters.http.wasm.v3.Wasm", json!({ "config": config })))
}
