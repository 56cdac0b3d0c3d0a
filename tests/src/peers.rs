//! The configurations of what users can have without steadfaas, filled in from the templates in `tests/peers`.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

/// What a template is filled in with.
#[derive(Debug, Clone, Copy)]
pub struct Sockets<'a> {
    /// Where clients go.
    pub listen: SocketAddr,
    /// Where Envoy's admin endpoint is.
    pub admin: SocketAddr,
    /// The function's replicas. Where a configuration has an active one, it is the first.
    pub replicas: &'a [SocketAddr],
}

/// Envoy's configurations, each by the name that reports use.
pub(crate) const ENVOYS: [(&str, &str); 4] = [
    ("envoy-plain", include_str!("../peers/envoy-plain.yaml")),
    ("envoy-istio", include_str!("../peers/envoy-istio.yaml")),
    ("envoy-priority", include_str!("../peers/envoy-priority.yaml")),
    ("envoy-hedge50", include_str!("../peers/envoy-hedge50.yaml")),
];

const HAPROXY: &str = include_str!("../peers/haproxy.cfg");
const NGINX: &str = include_str!("../peers/nginx.conf");

/// An Envoy bootstrap (YAML) from its template.
#[must_use]
pub fn envoy(template: &str, sockets: Sockets<'_>) -> String {
    let (active, standby) = sockets.replicas.split_at(sockets.replicas.len().min(1));
    let priorities = json!([
        {"priority": 0, "lb_endpoints": endpoints(active)},
        {"priority": 1, "lb_endpoints": endpoints(standby)},
    ]);
    template
        .replace("{{admin}}", &address(sockets.admin).to_string())
        .replace("{{listen}}", &address(sockets.listen).to_string())
        .replace("{{replicas}}", &endpoints(sockets.replicas).to_string())
        .replace("{{priorities}}", &priorities.to_string())
}

fn endpoints(replicas: &[SocketAddr]) -> Value {
    replicas.iter().map(|replica| json!({"endpoint": {"address": address(*replica)}})).collect()
}

fn address(socket: SocketAddr) -> Value {
    json!({"socket_address": {"address": socket.ip().to_string(), "port_value": socket.port()}})
}

/// The configuration of an HAProxy with that many threads.
#[must_use]
pub fn haproxy(sockets: Sockets<'_>, workers: u32) -> String {
    let server = |(index, replica): (usize, &SocketAddr)| {
        let backup = if index == 0 { "" } else { " backup" };
        format!("    server replica{index} {replica}{backup}\n")
    };
    let servers: String = sockets.replicas.iter().enumerate().map(server).collect();
    HAPROXY
        .replace("{{workers}}", &workers.to_string())
        .replace("{{listen}}", &sockets.listen.to_string())
        .replace("{{replicas}}", servers.trim_end())
}

/// The configuration of an nginx that keeps its files in `folder`.
#[must_use]
pub fn nginx(sockets: Sockets<'_>, folder: &Path) -> String {
    let server = |(index, replica): (usize, &SocketAddr)| {
        let backup = if index == 0 { "" } else { " backup" };
        format!("    server {replica} max_fails=1 fail_timeout=1s{backup};\n")
    };
    let servers: String = sockets.replicas.iter().enumerate().map(server).collect();
    NGINX
        .replace("{{folder}}", &folder.to_string_lossy())
        .replace("{{listen}}", &sockets.listen.to_string())
        .replace("{{replicas}}", servers.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sockets(replicas: &[SocketAddr]) -> Sockets<'_> {
        Sockets { listen: ([127, 0, 0, 1], 80).into(), admin: ([127, 0, 0, 1], 81).into(), replicas }
    }

    #[test]
    fn no_placeholder_is_left_in_any_configuration() {
        let replicas = [([127, 0, 0, 1], 82).into(), ([127, 0, 0, 1], 83).into()];
        let mut texts: Vec<_> = ENVOYS.map(|(_, template)| envoy(template, sockets(&replicas))).into();
        texts.push(haproxy(sockets(&replicas), 1));
        texts.push(nginx(sockets(&replicas), Path::new("/tmp")));
        for text in texts {
            assert!(!text.contains("{{") && text.contains("82") && text.contains("83"), "{text}");
        }
    }

    #[test]
    fn the_first_replica_is_active_and_the_others_stand_by() {
        let replicas = [([127, 0, 0, 1], 82).into(), ([127, 0, 0, 1], 83).into()];
        assert!(haproxy(sockets(&replicas), 1).contains("server replica1 127.0.0.1:83 backup"));
        let nginx = nginx(sockets(&replicas), Path::new("/tmp"));
        assert!(nginx.contains("server 127.0.0.1:82 max_fails=1 fail_timeout=1s;"));
    }
}
