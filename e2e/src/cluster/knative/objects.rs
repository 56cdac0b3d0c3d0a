//! Knative's YAML, fitted to the cluster: local images in the place of Go packages, its pods on the system node.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

/// What its YAML names instead of an image: the Go package of the program.
const PACKAGE: &str = "ko://knative.dev/serving/cmd/";

/// The image of one of its programs.
pub(super) fn image(program: &str) -> String {
    format!("dev.local/knative-{program}:1")
}

/// These files as they are.
pub(super) fn read(folder: &Path, files: &[&str]) -> anyhow::Result<String> {
    let mut text = String::new();
    for file in files {
        let path = folder.join(file);
        text += "---\n";
        text += &fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        text.push('\n');
    }
    Ok(text)
}

/// The objects of these files, fitted.
pub(super) fn fitted(folder: &Path, files: &[&str]) -> anyhow::Result<String> {
    fit(&read(folder, files)?)
}

fn fit(yaml: &str) -> anyhow::Result<String> {
    let mut objects: Vec<Value> =
        serde_saphyr::from_multiple(yaml).context("Knative's YAML can't be read")?;
    objects.retain(|object| !object.is_null());
    for object in &mut objects {
        with_local_images(object);
        if object.get("kind") == Some(&json!("Deployment")) {
            let pod = object.pointer_mut("/spec/template/spec").and_then(Value::as_object_mut);
            let pod = pod.context("a Deployment has no pods")?;
            pod.insert("nodeSelector".to_owned(), json!({ "role": "system" }));
            let tolerated = json!([{ "key": "role", "value": "system", "effect": "NoSchedule" }]);
            pod.insert("tolerations".to_owned(), tolerated);
        }
    }
    Ok(json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string())
}

fn with_local_images(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(program) = text.strip_prefix(PACKAGE) {
                *text = image(program);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(with_local_images),
        Value::Object(fields) => fields.values_mut().for_each(with_local_images),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_get_local_images_and_go_to_the_system_node() {
        let yaml = "---\n# nothing\n---\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - image: ko://knative.dev/serving/cmd/webhook\n        env: [{name: GOGC, value: \"500\"}]\n";
        let list: Value = serde_json::from_str(&fit(yaml).unwrap()).unwrap();
        let pod = &list["items"][0]["spec"]["template"]["spec"];
        assert_eq!(pod["containers"][0]["image"], "dev.local/knative-webhook:1");
        assert_eq!(pod["containers"][0]["env"][0]["value"], "500");
        assert_eq!(pod["nodeSelector"], json!({ "role": "system" }));
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_setting_names_the_local_image_too() {
        let list = fit("kind: ConfigMap\ndata:\n  queue-sidecar-image: ko://knative.dev/serving/cmd/queue\n")
            .unwrap();
        assert!(list.contains("dev.local/knative-queue:1"), "{list}");
    }
}
