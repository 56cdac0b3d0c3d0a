//! `probe`: Envoy's active checks of a function's replicas.

use std::time::Duration;

use serde_json::{Value, json};
use steadfaas_core::policy::Probe;

use super::protection::Spoken;
use super::typed::{seconds, with};

/// So many failures in a row take a replica out: one may be a lost packet.
const UNHEALTHY_THRESHOLD: u32 = 2;

/// So many successes in a row bring it back: one may be luck. After a start Envoy is content with one.
const HEALTHY_THRESHOLD: u32 = 2;

/// A check waits as long as the interval, within these: less than 100 ms, and a busy replica seems dead; more than
/// 1 s, and a frozen one seems well for too long.
const TIMEOUT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// The checks of this kind, nothing for none. HTTP checks ask for `host`, else for the cluster's name.
pub(super) fn config(probe: &Probe, spoken: Spoken, host: Option<&str>) -> Option<Value> {
    let (interval, check) = match probe {
        Probe::Off => return None,
        Probe::Tcp { interval } => (*interval, ("tcp_health_check", json!({}))),
        Probe::Http { path, interval } => (*interval, ("http_health_check", http(path, spoken, host))),
    };
    let config = json!({
        "interval": seconds(interval),
        // Envoy slows down to once a minute where no request passes, which is just what standbys see.
        "no_traffic_interval": seconds(interval),
        "no_traffic_healthy_interval": seconds(interval),
        "timeout": seconds(interval.clamp(TIMEOUT.0, TIMEOUT.1)),
        "unhealthy_threshold": UNHEALTHY_THRESHOLD,
        "healthy_threshold": HEALTHY_THRESHOLD,
    });
    let (kind, details) = check;
    Some(json!([with(config, kind, details)]))
}

fn http(path: &str, spoken: Spoken, host: Option<&str>) -> Value {
    let check = json!({ "path": path });
    let check = match host {
        Some(host) => with(check, "host", host.into()),
        None => check,
    };
    match spoken {
        Spoken::Http1 | Spoken::AsCaller => check,
        Spoken::Http2 => with(check, "codec_client_type", "HTTP2".into()),
    }
}
