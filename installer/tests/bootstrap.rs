//! The whole bootstrap, as a snapshot: a change of it shows in review.

// Helpers may panic as the tests do: that is how tests fail.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::{Value, json};
use steadfaas::standalone::{EnvoyVersion, FunctionsFile, Module, Options, render};

const FUNCTIONS: &str = "functions:
- name: fib
  replicas: [127.0.0.1:9101, 127.0.0.1:9102]
  host: fib.example.com
  strategy: active-standby
  probe: http:/healthz@200ms
- name: greeter
  replicas: greeter.local:8080
  protocol: http2
  strategy: request-replication
  tolerate: 2
";

fn bootstrap(options: Options) -> Value {
    let file = FunctionsFile::parse(FUNCTIONS, "functions.yaml").unwrap();
    // Any module will do: the real one would change the snapshot with each build.
    render(&file, &Options { module: Module::Bytes(b"\0asm".to_vec()), ..options }).unwrap()
}

#[test]
fn everything_that_envoy_is_told() {
    insta::assert_yaml_snapshot!(bootstrap(Options::default()));
}

/// The plugin's part of the bootstrap.
fn plugin(bootstrap: &Value) -> &Value {
    let filters = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";
    bootstrap.pointer(&format!("{filters}/0/typed_config/config")).unwrap()
}

#[test]
fn since_1_40_the_vm_is_restricted_instead_of_the_plugin() {
    let restriction = |version: &str| {
        let envoy_version: EnvoyVersion = version.parse().unwrap();
        let bootstrap = bootstrap(Options { envoy_version, ..Options::default() });
        let at = |pointer| plugin(&bootstrap).pointer(pointer).is_some();
        (at("/capability_restriction_config"), at("/vm_config/capability_restriction_config"))
    };
    assert_eq!(restriction("1.39"), (true, false));
    assert_eq!(restriction("1.40"), (false, true));
    assert_eq!(restriction("1.41"), (false, true));
}

#[test]
fn the_response_header_brings_its_capabilities_along() {
    let allowed = |response_header| {
        let bootstrap = bootstrap(Options { response_header, ..Options::default() });
        let plugin = plugin(&bootstrap);
        let configuration: Value =
            serde_json::from_str(plugin.pointer("/configuration/value").unwrap().as_str().unwrap()).unwrap();
        assert_eq!(configuration["response_header"], json!(response_header));
        let capabilities = plugin.pointer("/capability_restriction_config/allowed_capabilities").unwrap();
        capabilities.get("proxy_on_response_headers").is_some()
    };
    assert!(!allowed(false));
    assert!(allowed(true));
}
