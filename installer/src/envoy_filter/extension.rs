//! The EnvoyFilter that puts the filter into proxies: one for the whole mesh.

use serde_json::{Value, json};

use super::patch::{Contexts, patch};
use super::{IstioVersion, PART, PART_EXTENSION, resource};
use crate::envoy::plugin::Plugin;
use crate::envoy::typed::{any, with};
use crate::filter::PLUGIN;

/// What it depends on.
#[derive(Debug, Clone, Copy)]
pub struct Extension<'a> {
    /// The oldest Istio that reads it.
    pub istio: IstioVersion,
    /// Which proxies protect functions.
    pub contexts: Contexts,
    /// Answers get a header that says what steadfaas did.
    pub response_header: bool,
    /// The filter's code.
    pub module: &'a [u8],
    /// Where istiod reads EnvoyFilters for all proxies.
    pub root_namespace: &'a str,
}

/// The EnvoyFilter. The filter is discovered (ECDS), so that its 200 KB aren't repeated in every listener.
#[must_use]
pub fn extension(extension: &Extension<'_>) -> Value {
    let resource = resource();
    let filters = extension.contexts.named().iter().map(|context| in_front_of_router(context));
    let patches: Vec<Value> = std::iter::once(discovered(extension)).chain(filters).collect();
    json!({
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": { "name": PLUGIN, "namespace": extension.root_namespace, "labels": { (PART): PART_EXTENSION } },
        "spec": { "configPatches": patches },
    })
}

/// The filter under the name by which proxies ask for it. istiod sends it to those that do, whatever the match says.
fn discovered(extension: &Extension<'_>) -> Value {
    let plugin = Plugin {
        module: extension.module,
        response_header: extension.response_header,
        // They are Istio's.
        own_routes: false,
        envoy_version: extension.istio.needs().envoy,
    };
    let filter = json!({ "name": PLUGIN, "typed_config": any(Plugin::KIND, plugin.fields()) });
    json!({ "applyTo": "EXTENSION_CONFIG", "patch": { "operation": "ADD", "value": filter } })
}

fn in_front_of_router(context: &str) -> Value {
    let router = json!({ "listener": { "filterChain": { "filter": {
        "name": "envoy.filters.network.http_connection_manager",
        "subFilter": { "name": "envoy.filters.http.router" },
    } } } });
    let discovery = json!({
        "config_source": { "ads": {}, "resource_api_version": "V3" },
        "type_urls": [format!("type.googleapis.com/{}", Plugin::KIND)],
    });
    let filter = with(json!({ "name": PLUGIN }), "config_discovery", discovery);
    patch("HTTP_FILTER", context, router, "INSERT_BEFORE", filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patches(istio: &str, contexts: Contexts) -> Vec<Value> {
        let istio = istio.parse().unwrap();
        let wanted = Extension {
            istio,
            contexts,
            response_header: false,
            module: b"\0asm",
            root_namespace: "istio-system",
        };
        let filter = extension(&wanted);
        filter["spec"]["configPatches"].as_array().unwrap().clone()
    }

    #[test]
    fn the_filter_is_there_once_and_asked_for_in_each_context() {
        let patches = patches("1.29", Contexts::Both);
        let contexts: Vec<&Value> = patches.iter().map(|patch| &patch["match"]["context"]).collect();
        assert_eq!(contexts, [&Value::Null, &json!("GATEWAY"), &json!("SIDECAR_OUTBOUND")]);
        for asked in &patches[1..] {
            assert_eq!(asked["patch"]["value"]["name"], patches[0]["patch"]["value"]["name"]);
        }
    }

    #[test]
    fn only_the_contexts_that_are_wanted_ask_for_it() {
        assert_eq!(patches("1.29", Contexts::Gateway).len(), 2);
        assert_eq!(patches("1.29", Contexts::Sidecar)[1]["match"]["context"], "SIDECAR_OUTBOUND");
    }

    #[test]
    fn its_configuration_says_that_routes_are_istios() {
        let patches = patches("1.29", Contexts::Both);
        let config = &patches[0]["patch"]["value"]["typed_config"]["config"];
        let configuration: Value =
            serde_json::from_str(config["configuration"]["value"].as_str().unwrap()).unwrap();
        assert_eq!(configuration["own_routes"], false);
        assert_eq!(config["failure_policy"], "FAIL_RELOAD");
    }
}
