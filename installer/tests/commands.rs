//! The commands for a cluster, where there is none: what is refused before anything is asked, and with which exit code.

// Helpers may panic as the tests do: that is how tests fail.
#![allow(clippy::unwrap_used)]

use assert_cmd::Command;
use assert_cmd::assert::Assert;

fn steadfaas(arguments: &[&str]) -> Assert {
    Command::cargo_bin("steadfaas").unwrap().args(arguments).assert()
}

fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

#[test]
fn a_kubeconfig_that_isnt_there_is_wrong_input_and_one_line() {
    for command in [&["status"][..], &["doctor"], &["drill", "fib"], &["unprotect", "fib"]] {
        let run = steadfaas(&[command, &["--kubeconfig", "/nowhere/config"]].concat()).code(2).stdout("");
        let said = stderr(&run);
        assert!(said.starts_with("no cluster is configured: "), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn an_api_server_that_cant_be_reached_is_a_failure_and_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let config = r#"{"apiVersion":"v1","kind":"Config","current-context":"c","users":[],
        "clusters":[{"name":"c","cluster":{"server":"http://127.0.0.1:1"}}],
        "contexts":[{"name":"c","context":{"cluster":"c","user":""}}]}"#;
    std::fs::write(&path, config).unwrap();
    let run = steadfaas(&["status", "--kubeconfig", path.to_str().unwrap()]).code(1).stdout("");
    let said = stderr(&run);
    assert!(said.contains(" failed: the API server can't be reached: "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn calls_of_a_drill_that_it_cant_make_are_refused() {
    let run = steadfaas(&["drill", "fib", "--call", "https://example.com/"]).code(2);
    assert!(stderr(&run).contains("a URL such as http://"), "{}", stderr(&run));
    steadfaas(&["drill", "fib", "--host", "fib"]).code(2);
}

#[test]
fn completions_name_the_commands() {
    let run = steadfaas(&["completions", "bash"]).success();
    let script = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    for command in ["protect", "status", "doctor", "drill", "install", "uninstall"] {
        assert!(script.contains(command), "{command}");
    }
}
