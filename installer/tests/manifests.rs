//! What is committed in `manifests` is what the program prints, and the samples say what it understands.

// Helpers may panic as the tests do: that is how tests fail.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::Value;
use steadfaas::function::BY_GATEWAY;
use steadfaas_core::policy::{Policy, WrittenPolicy};

/// Set it to have the file written instead of compared.
const UPDATE: &str = "UPDATE_MANIFESTS";

/// The largest object that a client-side `kubectl apply` takes: all of it goes into an annotation, and all annotations
/// together have 256 KiB.
const MOST_ANNOTATIONS: usize = 262_144;

fn file(name: &str) -> PathBuf {
    xtask::workspace_root().join("manifests").join(name)
}

fn render(args: &[&str]) -> String {
    let run = Command::cargo_bin("steadfaas").unwrap().arg("render").args(args).assert().success();
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

fn documents(text: &str) -> Vec<Value> {
    let parts = text.split("\n---\n").map(|part| serde_saphyr::from_str::<Value>(part).unwrap());
    parts.filter(|document| !document.is_null()).collect()
}

#[test]
fn the_committed_manifest_is_what_the_program_prints() {
    let (path, printed) = (file("steadfaas.yaml"), render(&[]));
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, &printed).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    let same = committed == printed;
    assert!(
        same,
        "{} is out of date: `{UPDATE}=1 cargo test -p steadfaas --test manifests` writes it",
        path.display()
    );
}

#[test]
fn a_client_side_apply_takes_every_object() {
    let list: Value = serde_json::from_str(&render(&["-o", "json"])).unwrap();
    for object in list["items"].as_array().unwrap() {
        let size = object.to_string().len();
        assert!(
            size < MOST_ANNOTATIONS,
            "{} {} has {size} bytes",
            object["kind"],
            object["metadata"]["name"]
        );
    }
}

#[test]
fn yaml_and_json_are_the_same_objects() {
    let list: Value = serde_json::from_str(&render(&["-o", "json"])).unwrap();
    assert_eq!(documents(&render(&[])), *list["items"].as_array().unwrap());
}

#[test]
fn an_istio_that_is_too_old_is_refused_by_name() {
    let run =
        Command::cargo_bin("steadfaas").unwrap().args(["render", "--istio-version", "1.26"]).assert().code(2);
    let error = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(error.contains("Istio 1.26 is not supported: 1.27 and later are"), "{error}");
}

/// All annotations of ours in a document, wherever they are.
fn annotations(value: &Value, found: &mut BTreeMap<String, String>) {
    for (key, inner) in value.as_object().into_iter().flatten() {
        match (key.strip_prefix("steadfaas.dev/"), inner.as_str()) {
            (Some(key), Some(value)) => drop(found.insert(key.to_owned(), value.to_owned())),
            _ => annotations(inner, found),
        }
    }
}

#[test]
fn every_sample_of_a_function_has_a_policy_that_is_right() {
    for name in ["knative.yaml", "openfaas.yaml", "deployment.yaml"] {
        let text = fs::read_to_string(file("samples").join(name)).unwrap();
        let mut settings = BTreeMap::new();
        documents(&text).iter().for_each(|document| annotations(document, &mut settings));
        let route = settings.remove("route");
        assert!(route.is_none_or(|route| route == BY_GATEWAY), "{name}");
        assert_eq!(Policy::compile(&WrittenPolicy::new("sample", settings)).err(), None, "{name}");
    }
}
