//! Envoy's extensions: a name and a configuration that says its own type.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

/// Where protobuf types live, as far as JSON is concerned.
const TYPES: &str = "type.googleapis.com/";

/// The configuration `fields` (an object) of an extension of type `kind`.
pub(super) fn any(kind: &str, fields: Value) -> Value {
    let mut any = Map::from_iter([("@type".to_owned(), Value::String(format!("{TYPES}{kind}")))]);
    if let Value::Object(fields) = fields {
        any.extend(fields);
    }
    Value::Object(any)
}

/// An extension as most places of Envoy's configuration want it.
pub(super) fn extension(name: &str, kind: &str, fields: Value) -> Value {
    json!({ "name": name, "typed_config": any(kind, fields) })
}

/// An address to listen on or to connect to.
pub(super) fn address(address: SocketAddr) -> Value {
    host_and_port(&address.ip().to_string(), address.port())
}

/// The same of a host that may be a DNS name.
pub(super) fn host_and_port(host: &str, port: u16) -> Value {
    json!({ "socket_address": { "address": host, "port_value": port } })
}

/// A time span as protobuf's JSON writes it.
pub(super) fn seconds(span: std::time::Duration) -> String {
    format!("{}s", span.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn spans_are_written_in_seconds_without_an_exponent() {
        assert_eq!(seconds(Duration::from_millis(1)), "0.001s");
        assert_eq!(seconds(Duration::from_micros(1)), "0.000001s");
        assert_eq!(seconds(Duration::from_secs(600)), "600s");
    }
}
