//! Answers of Envoy's admin endpoint to `/clusters?format=json`.

use serde_json::{Value, json};

/// The answer that has these clusters, each with its hosts, all of them well.
pub(crate) fn clusters(of: &[(&str, &[&str])]) -> String {
    let statuses: Vec<Value> = of.iter().map(|(name, hosts)| cluster(name, hosts)).collect();
    json!({ "cluster_statuses": statuses }).to_string()
}

/// What an Envoy that can't filter answers: every cluster of a large mesh, and those of `of` behind them.
pub(crate) fn unfiltered(count: usize, of: &[(&str, &[&str])]) -> String {
    let other = |index: usize| {
        cluster(&format!("outbound|80||service-{index}.shop.svc.cluster.local"), &["10.1.0.1:80"])
    };
    let statuses: Vec<Value> =
        (0..count).map(other).chain(of.iter().map(|(name, hosts)| cluster(name, hosts))).collect();
    json!({ "cluster_statuses": statuses }).to_string()
}

fn cluster(name: &str, hosts: &[&str]) -> Value {
    let hosts: Vec<Value> = hosts.iter().map(|host| self::host(host)).collect();
    json!({ "name": name, "added_via_api": true, "host_statuses": hosts, "observability_name": name })
}

fn host(address: &str) -> Value {
    let (ip, port) = address.rsplit_once(':').unwrap();
    json!({
        "address": {"socket_address": {"address": ip, "port_value": port.parse::<u16>().unwrap()}},
        "stats": [{"name": "cx_total", "value": "3"}, {"name": "rq_active", "type": "GAUGE"}],
        "health_status": {"eds_health_status": "HEALTHY"},
        "weight": 1,
        "locality": {},
    })
}
