//! Answers of real proxies, cut down, and what must not be taken for one.

use super::*;

fn host_json(address: &str, port: u16, health: &str) -> String {
    format!(
        r#"{{"address":{{"socket_address":{{"address":"{address}","port_value":{port}}}}},
            "stats":[{{"name":"cx_active","type":"GAUGE"}},{{"name":"rq_total","value":"18446744073709551615"}}],
            "health_status":{health},"weight":1,"hostname":"","locality":{{}}}}"#
    )
}

fn cluster_json(name: &str, hosts: &[String]) -> String {
    format!(
        r#"{{"name":"{name}","added_via_api":true,"host_statuses":[{}],"circuit_breakers":{{}}}}"#,
        hosts.join(",")
    )
}

fn answer(clusters: &[String]) -> String {
    format!(r#"{{"cluster_statuses":[{}]}}"#, clusters.join(","))
}

fn hosts(json: &str) -> Vec<Host> {
    let mut clusters = read_clusters(json.as_bytes(), &|name| name == "fib").unwrap();
    assert_eq!(clusters.len(), 1);
    clusters.remove(0).hosts
}

fn one_host(health: &str) -> Host {
    hosts(&answer(&[cluster_json("fib", &[host_json("10.0.0.1", 8080, health)])])).remove(0)
}

#[test]
fn only_wanted_clusters_are_kept() {
    let json = answer(&[
        cluster_json("other", &[host_json("10.0.0.9", 1, "{}")]),
        cluster_json("fib", &[host_json("10.0.0.1", 8080, "{}"), host_json("::1", 8080, "{}")]),
        r#"{"name":"empty"}"#.to_owned(),
    ]);
    let addresses: Vec<String> = hosts(&json).into_iter().map(|host| host.address).collect();
    assert_eq!(addresses, ["10.0.0.1:8080", "[::1]:8080"]);
}

#[test]
fn a_name_behind_the_hosts_is_found_too() {
    let json = format!(
        r#"{{"cluster_statuses":[{{"host_statuses":[{}],"name":"fib"}}]}}"#,
        host_json("10.0.0.1", 1, "{}")
    );
    assert_eq!(hosts(&json).len(), 1);
}

#[test]
fn health_says_who_is_ready_who_serves_and_who_is_doubtful() {
    let cases = [
        (r#"{"eds_health_status":"HEALTHY"}"#, [true, true, false]),
        (r#"{"eds_health_status":"UNKNOWN"}"#, [true, true, false]),
        (r#"{"eds_health_status":"UNHEALTHY"}"#, [false, true, false]),
        (r#"{"eds_health_status":"DRAINING"}"#, [false, true, false]),
        (r#"{"eds_health_status":"TIMEOUT"}"#, [false, true, false]),
        (r#"{"eds_health_status":"DEGRADED"}"#, [true, true, true]),
        (r#"{"failed_active_health_check":true}"#, [true, false, false]),
        (r#"{"pending_dynamic_removal":true}"#, [true, false, false]),
        (r#"{"failed_outlier_check":true}"#, [true, true, true]),
        (r#"{"pending_active_hc":true}"#, [true, true, true]),
    ];
    for (health, expected) in cases {
        let host = one_host(health);
        assert_eq!([host.ready, host.serving, host.doubtful], expected, "{health}");
    }
}

#[test]
fn replicas_of_one_zone_have_its_number() {
    let of = |zone: &str| {
        let host = format!(
            r#"{{"address":{{"socket_address":{{"address":"10.0.0.1","port_value":80}}}},"locality":{{"zone":"{zone}"}}}}"#
        );
        hosts(&answer(&[cluster_json("fib", &[host])])).remove(0).zone
    };
    assert_eq!((of("a"), of(""), one_host("{}").zone), (of("a"), 0, 0));
    assert!(of("eu-1a") != of("eu-1b") && of("eu-1a") != 0);
}

#[test]
fn hosts_without_a_socket_address_are_left_out() {
    let pipe = r#"{"address":{"pipe":{"path":"/run/x.sock"}}}"#.to_owned();
    assert!(hosts(&answer(&[cluster_json("fib", &[pipe, "{}".to_owned()])])).is_empty());
}

#[test]
fn hosts_with_an_address_that_none_can_have_are_left_out() {
    let odd = [host_json("", 80, "{}"), host_json("10.0.0.1", 80, "{}").replace("80", "70000")];
    assert!(hosts(&answer(&[cluster_json("fib", &odd)])).is_empty());
}

#[test]
fn nonsense_is_an_error() {
    for nonsense in
        ["", "{", "[]", "null", r#"{"cluster_statuses":7}"#, r#"{"cluster_statuses":[]} trailing"#]
    {
        assert!(read_clusters(nonsense.as_bytes(), &|_| true).is_err(), "{nonsense}");
    }
    assert_eq!(read_clusters(b"{}", &|_| true).unwrap(), []);
}

#[test]
fn megabytes_of_other_clusters_are_walked_over() {
    let mut clusters: Vec<String> = (0..2_000)
        .map(|n| cluster_json(&format!("c{n}"), &vec![host_json("10.0.0.9", 1, "{}"); 3]))
        .collect();
    clusters.push(cluster_json("fib", &[host_json("10.0.0.1", 8080, "{}")]));
    assert_eq!(hosts(&answer(&clusters)).len(), 1);
}
