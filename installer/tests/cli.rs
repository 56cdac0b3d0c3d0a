//! The command from outside: what it prints, what it writes, how it ends.

// Helpers may panic as the tests do: that is how tests fail.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with a functions file in it.
struct Place {
    folder: TempDir,
}

impl Place {
    fn with(functions: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("functions.yaml"), functions).unwrap();
        Self { folder }
    }

    /// `steadfaas standalone functions.yaml` and these arguments, run in the folder.
    fn standalone(&self, arguments: &[&str]) -> assert_cmd::assert::Assert {
        let mut command = Command::cargo_bin("steadfaas").unwrap();
        command.current_dir(&self.folder).args(["standalone", "functions.yaml"]).args(arguments).assert()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn bootstrap(&self, name: &str) -> Value {
        serde_saphyr::from_str(&fs::read_to_string(self.file(name)).unwrap()).unwrap()
    }
}

/// What a run printed on stderr.
fn stderr(assert: &assert_cmd::assert::Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

const GOOD: &str = "functions:
- name: fib
  replicas: [127.0.0.1:9101, 127.0.0.1:9102]
  strategy: active-standby
";

#[test]
fn yaml_and_json_say_the_same() {
    let place = Place::with(GOOD);
    place.standalone(&["-o", "envoy.yaml"]).success();
    place.standalone(&["-o", "envoy.json"]).success();
    let json: Value = serde_json::from_slice(&fs::read(place.file("envoy.json")).unwrap()).unwrap();
    assert_eq!(place.bootstrap("envoy.yaml"), json);
}

#[test]
fn the_bootstrap_says_how_to_start_envoy() {
    let place = Place::with(GOOD);
    let run = place.standalone(&["--concurrency", "2", "-o", "envoy.yaml"]).success();
    assert_eq!(stderr(&run), "start it with: EVENT_PRECISE_TIMER=1 envoy -c envoy.yaml --concurrency 2\n");
    let text = fs::read_to_string(place.file("envoy.yaml")).unwrap();
    let first = text.lines().next().unwrap();
    assert!(
        first.ends_with("Start it with: EVENT_PRECISE_TIMER=1 envoy -c envoy.yaml --concurrency 2"),
        "{first}"
    );
}

#[test]
fn a_hyphen_is_stdout_and_nothing_else_is_printed() {
    let run = Place::with(GOOD).standalone(&["-o", "-"]).success();
    assert_eq!(stderr(&run), "");
    let stdout = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    let bootstrap: Value = serde_saphyr::from_str(&stdout).unwrap();
    assert_eq!(bootstrap["static_resources"]["clusters"][0]["name"], "fib");
}

#[test]
fn addresses_go_where_they_belong() {
    let place = Place::with(GOOD);
    place.standalone(&["--listen", "127.0.0.1:1", "--admin", "0.0.0.0:2", "-o", "e.json"]).success();
    let bootstrap = place.bootstrap("e.json");
    let port = |path: &str| bootstrap.pointer(&format!("{path}/socket_address/port_value")).cloned();
    assert_eq!(port("/static_resources/listeners/0/address"), Some(1.into()));
    assert_eq!(port("/admin/address"), Some(2.into()));
    let admin = "/static_resources/clusters/1/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address";
    assert_eq!(port(admin), Some(2.into()));
    assert_eq!(bootstrap.pointer(&format!("{admin}/socket_address/address")), Some(&"127.0.0.1".into()));
}

#[test]
fn an_envoy_that_is_too_old_is_refused_and_a_newer_one_warned_of() {
    let place = Place::with(GOOD);
    let run = place.standalone(&["--envoy-version", "1.35.3", "-o", "-"]).code(2);
    assert!(stderr(&run).contains("Envoy 1.35 is not supported: 1.36 to 1.40 are"), "{}", stderr(&run));
    let run = place.standalone(&["--envoy-version", "1.41", "-o", "-"]).success();
    assert_eq!(
        stderr(&run),
        "warning: Envoy 1.41 is newer than 1.40, the newest that steadfaas was tried on\n"
    );
}

#[test]
fn too_few_replicas_are_warned_of() {
    let place = Place::with("functions:\n- {name: fib, replicas: [127.0.0.1:9101], strategy: retry}\n");
    let run = place.standalone(&["-o", "-"]).success();
    assert_eq!(
        stderr(&run),
        "functions.yaml:2: warning: function `fib`: to survive 1 failing at once it needs more than 1 in `replicas`\n"
    );
}

#[test]
fn what_cannot_be_read_or_written_is_named_and_ends_with_1() {
    let place = Place::with(GOOD);
    let run = place.standalone(&["-o", "nowhere/envoy.yaml"]).code(1);
    assert_eq!(stderr(&run), "nowhere/envoy.yaml can't be written: No such file or directory (os error 2)\n");
    fs::remove_file(place.file("functions.yaml")).unwrap();
    let run = place.standalone(&["-o", "-"]).code(1);
    assert_eq!(stderr(&run), "functions.yaml can't be read: No such file or directory (os error 2)\n");
}

#[test]
fn an_admin_endpoint_without_port_is_refused() {
    let run = Place::with(GOOD).standalone(&["--admin", "127.0.0.1:0", "-o", "-"]).code(2);
    assert!(stderr(&run).starts_with("the admin endpoint can't have port 0"), "{}", stderr(&run));
}

#[test]
fn a_file_that_is_not_text_is_wrong_input() {
    let place = Place::with("");
    fs::write(place.file("functions.yaml"), [0xff, 0xfe, 0xff]).unwrap();
    let run = place.standalone(&["-o", "-"]).code(2);
    assert!(stderr(&run).starts_with("functions.yaml can't be read: "), "{}", stderr(&run));
}

/// A function that is right but for what is put at `$`.
const FIB: &str = "functions:\n- name: fib\n  strategy: retry\n  replicas: [127.0.0.1:9101]\n  $\n";

/// Two functions; the second one's line is 5.
const TWO: &str = "functions:
- name: fib
  replicas: [127.0.0.1:9101]
  strategy: retry
- name: $
  replicas: [127.0.0.1:9102]
  strategy: retry
";

#[test]
fn a_wrong_file_gets_one_line_that_names_file_line_field_and_what_would_be_right() {
    let replicas = |written: &str| FIB.replace("[127.0.0.1:9101]", written).replace('$', "");
    let with = |line: &str| FIB.replace('$', line);
    let addresses = "a list of addresses such as [127.0.0.1:9101, 127.0.0.1:9102], or a DNS name with its port such as \
                     fib.local:8080, would be right";
    let address = "an address with its port such as 127.0.0.1:9101, or a DNS name with its port such as \
                   fib.local:8080, would be right";
    let host =
        "a host name without port such as fib.example.com or *.example.com, or * for any, would be right";
    let functions = "a list of functions, each with `name`, `replicas` and `strategy`, would be right";
    let keys = "one of name, replicas, host, protocol, strategy, tolerate, idempotent, retry-on, hedge-after, budget, \
                deadline, standby-service, start, probe, objective would be right";
    let cases = [
        // The file.
        ("functions: [".to_owned(), "1: not YAML: unclosed bracket '['".to_owned()),
        ("functions:\n\t- name: fib".to_owned(), "2: not YAML: tabs disallowed within this context (block indentation)".to_owned()),
        (String::new(), "1: the file is empty: a map with the key `functions` would be right".to_owned()),
        ("- name: fib".to_owned(), "1: the file is a list: a map with the key `functions` would be right".to_owned()),
        ("function: []".to_owned(), "1: unknown key `function`: `functions` would be right".to_owned()),
        ("{}".to_owned(), format!("1: no `functions`: {functions}")),
        ("functions: []".to_owned(), format!("1: `functions` is an empty list: {functions}")),
        ("functions: {fib: {}}".to_owned(), format!("1: `functions` is a map: {functions}")),
        ("functions:\n- fib".to_owned(), "2: an entry of `functions` is `fib`: a map with `name`, `replicas` and `strategy` would be right".to_owned()),
        // Fields of a function.
        (with("toelrate: 1"), format!("5: function `fib`: unknown key `toelrate`: {keys}")),
        (with("name: fob"), "5: `name` is there twice: once would be right".to_owned()),
        ("functions:\n- strategy: retry".to_owned(), "2: no `name`: the function's name, such as fib, would be right".to_owned()),
        ("functions:\n- name:\n  strategy: retry".to_owned(), "2: `name` is empty: the function's name, such as fib, would be right".to_owned()),
        ("functions:\n- name: prometheus_stats".to_owned(), "2: `name` is what Envoy's admin endpoint is called here: another one would be right".to_owned()),
        (TWO.replace('$', "fib"), "5: function `fib`: `name` is taken by the function at line 2: a name of its own would be right".to_owned()),
        (TWO.replace('$', "fob"), "5: function `fob`: `host` is any, as for function `fib` at line 2: a host of its own for each of them would be right".to_owned()),
        (TWO.replace("- name", "- host: a.b\n  name").replace('$', "fob"), "6: function `fob`: `host` is `a.b`, as for function `fib` at line 2: a host of its own for each of them would be right".to_owned()),
        (with("host: fib:80"), format!("5: function `fib`: `host` is `fib:80`: {host}")),
        (with("host: [a, b]"), format!("5: function `fib`: `host` is a list: {host}")),
        (with("protocol: grpc"), "5: function `fib`: `protocol` is `grpc`: http1 or http2 would be right".to_owned()),
        // Replicas.
        ("functions:\n- name: fib\n  strategy: retry".to_owned(), format!("2: function `fib`: no `replicas`: {addresses}")),
        (replicas(""), format!("4: function `fib`: `replicas` is empty: {addresses}")),
        (replicas("[]"), format!("4: function `fib`: `replicas` is an empty list: {addresses}")),
        (replicas("[127.0.0.1]"), format!("4: function `fib`: `replicas` has `127.0.0.1`: {address}")),
        (replicas("[127.0.0.1:9101,\n   {}]"), format!("5: function `fib`: `replicas` has a map: {address}")),
        (replicas("[a.b:1, a.b:1]"), "4: function `fib`: `replicas` has `a.b:1` twice: once would be right".to_owned()),
        (replicas("[127.0.0.1:1, a.b:1]"), "4: function `fib`: `replicas` mixes `127.0.0.1:1` and `a.b:1`: only addresses, or only DNS names, would be right".to_owned()),
        // Annotations.
        ("functions:\n- name: fib\n  replicas: a.b:1".to_owned(), "2: function `fib`: no `strategy`: retry, active-standby, request-replication or hedged would be right".to_owned()),
        (with("tolerate: 5"), "5: function `fib`: `tolerate` is `5`: a whole number from 1 to 4 would be right".to_owned()),
        (with("tolerate: [1]"), "5: function `fib`: `tolerate` is a list: a single value would be right".to_owned()),
        (with("objective: cost"), "5: function `fib`: `objective: cost` is not built yet in this version".to_owned()),
        (with("budget: 10"), "5: function `fib`: `budget` is `10`: a whole percentage of the requests, from 0% to 100% would be right".to_owned()),
        (with("deadline: 2"), "5: function `fib`: `deadline` is `2`: a duration from 1ms to 1h such as 2s would be right".to_owned()),
        (FIB.replace("retry", "request-replication").replace('$', "budget: 5%"), "5: function `fib`: `budget: 5%` won't do: request-replication runs each request on every copy; leave it out".to_owned()),
        (FIB.replace("retry", "request-replication").replace('$', "hedge-after: 5ms"), "5: function `fib`: `hedge-after: 5ms` won't do: request-replication starts the next replica after 1 ms; leave it out".to_owned()),
        (FIB.replace("name: fib", "name: a b").replace('$', ""), "2: function `a b`: function name `a b` won't do: 1 to 253 letters, digits and `-_./` are right".to_owned()),
    ];
    for (functions, expected) in cases {
        let run = Place::with(&functions).standalone(&["-o", "-"]).code(2).stdout("");
        assert_eq!(stderr(&run), format!("functions.yaml:{expected}\n"), "for\n{functions}");
    }
}

#[test]
fn numbers_and_booleans_are_annotations_too() {
    let settings = "tolerate: 2\n  idempotent: true\n  probe: off\n  hedge-after: 25ms";
    let place = Place::with(&FIB.replace('$', settings));
    place.standalone(&["-o", "e.json"]).success();
    let policy = place.bootstrap("e.json");
    let policy =
        policy.pointer("/static_resources/clusters/0/metadata/filter_metadata/steadfaas/policy").unwrap();
    assert_eq!(
        policy,
        r#"{"version":1,"function":"fib","settings":{"hedge-after":"25ms","idempotent":"true","probe":"off","strategy":"retry","tolerate":"2"}}"#
    );
}
