//! The filter, as Envoy is told to run it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::typed::{any, seconds, with};
use super::version::EnvoyVersion;
use crate::filter::{self, PLUGIN};

/// How long a worker waits before it loads the module again after a panic (doubled up to ten times this). Requests
/// meanwhile get a 503, so it is the shortest that still isn't a busy loop: loading takes about 2 ms.
const RELOAD_BACK_OFF: Duration = Duration::from_millis(10);

/// What differs between those who run the filter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plugin<'a> {
    /// Its module.
    pub(crate) module: &'a [u8],
    /// Answers get a header that says what steadfaas did.
    pub(crate) response_header: bool,
    /// All routes to functions are those of [`crate::standalone`].
    pub(crate) own_routes: bool,
    /// The oldest Envoy that reads it.
    pub(crate) envoy_version: EnvoyVersion,
}

impl Plugin<'_> {
    /// What kind of filter it is.
    pub(crate) const KIND: &'static str = "envoy.extensions.filters.http.wasm.v3.Wasm";

    /// The fields of the filter's configuration, an object of the type [`Self::KIND`].
    pub(crate) fn fields(&self) -> Value {
        let restriction = filter::capability_restriction(self.response_header);
        let vm = json!({
            "vm_id": PLUGIN,
            // The only one that stock Envoy has.
            "runtime": "envoy.wasm.runtime.v8",
            "code": { "local": { "inline_bytes": STANDARD.encode(self.module) } },
        });
        let configuration = filter::configuration(self.response_header, self.own_routes);
        let plugin = json!({
            "name": PLUGIN,
            "root_id": PLUGIN,
            "configuration": any("google.protobuf.StringValue", json!({ "value": configuration })),
            "failure_policy": "FAIL_RELOAD",
            "reload_config": { "backoff": { "base_interval": seconds(RELOAD_BACK_OFF) } },
        });
        let restrict = |object| with(object, "capability_restriction_config", restriction);
        let (plugin, vm) = if self.envoy_version.restricts_the_vm() {
            (plugin, restrict(vm))
        } else {
            (restrict(plugin), vm)
        };
        json!({ "config": with(plugin, "vm_config", vm) })
    }
}
