//! What istiod puts into pods that are to have a sidecar: the template and values of Istio's own chart, with the image
//! that is here.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::PROXY_IMAGE;

/// Where the chart keeps its values, so that profiles can come between them and the user's.
const DEFAULTS: &str = "_internal_defaults_do_not_set";

/// Those of them that the template gets, as the chart picks them.
const GLOBAL: [&str; 3] = ["global", "sidecarInjectorWebhook", "revision"];
const OF_PILOT: [&str; 2] = ["cni", "env"];
const OF_GATEWAYS: [&str; 2] = ["securityContext", "seccompProfile"];

/// For an istiod that is of another version than the template: all that its chart has in this place.
const MISMATCH: &str = "{{ Template_Version_And_Istio_Version_Mismatched_Check_Installation }}";

/// The config map that istiod reads at its start; without it there is no injection.
pub(super) fn config_map(programs: &Path) -> anyhow::Result<Value> {
    let read = |name: &str| {
        let path = programs.join(name);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let values = serde_saphyr::from_str::<Value>(&read("values.yaml")?);
    let values = values.context("the values of Istio's chart can't be read")?;
    let config = json!({
        "defaultTemplates": ["sidecar"],
        "policy": "enabled",
        "alwaysInjectSelector": [],
        "neverInjectSelector": [],
        "injectedAnnotations": {},
        "template": MISMATCH,
        "templates": { "sidecar": read("injection-template.yaml")?.trim() },
    });
    Ok(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "istio-sidecar-injector",
            "namespace": "istio-system",
            "labels": { "istio.io/rev": "default" },
        },
        "data": { "values": picked(&values)?.to_string(), "config": config.to_string() },
    }))
}

fn picked(values: &Value) -> anyhow::Result<Value> {
    let defaults = values.get(DEFAULTS).with_context(|| format!("the chart has no {DEFAULTS}"))?;
    let mut picked = pick(defaults, &GLOBAL);
    picked.insert("pilot".to_owned(), pick(defaults, &OF_PILOT).into());
    let gateways = defaults.get("gateways").map(|gateways| pick(gateways, &OF_GATEWAYS));
    picked.insert("gateways".to_owned(), gateways.unwrap_or_default().into());
    let mut picked = Value::Object(picked);
    for (path, value) in [
        ("/global/proxy/image", json!(PROXY_IMAGE)),
        ("/global/proxy_init/image", json!(PROXY_IMAGE)),
        // A container that is alone on its node would wait for a share of a processor that nobody else wants.
        ("/global/proxy/resources/requests/cpu", json!("10m")),
    ] {
        *picked.pointer_mut(path).with_context(|| format!("the chart has no value {path}"))? = value;
    }
    Ok(picked)
}

fn pick(from: &Value, fields: &[&str]) -> Map<String, Value> {
    fields.iter().filter_map(|field| Some(((*field).to_owned(), from.get(field)?.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_gets_the_charts_values_and_the_local_image() {
        let proxy = json!({ "image": "proxyv2", "statusPort": 15020, "resources": { "requests": { "cpu": "100m" } } });
        let global = json!({ "proxy": proxy, "proxy_init": { "image": "proxyv2" } });
        let defaults =
            json!({ "global": global, "revision": "", "cni": { "enabled": false }, "replicaCount": 1 });
        let picked = picked(&json!({ DEFAULTS: defaults })).unwrap();
        assert_eq!(picked["global"]["proxy"]["image"], PROXY_IMAGE);
        assert_eq!(picked["global"]["proxy"]["statusPort"], 15020);
        assert_eq!(picked["pilot"]["cni"]["enabled"], false);
        assert!(picked.get("replicaCount").is_none());
    }

    #[test]
    fn a_chart_of_another_shape_is_named() {
        let error = picked(&json!({})).unwrap_err().to_string();
        assert_eq!(error, "the chart has no _internal_defaults_do_not_set");
    }
}
