//! Pieces that recur in Envoy's configuration: extensions that say their own type, addresses, time spans.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

/// Where protobuf types live, as far as JSON is concerned.
const TYPES: &str = "type.googleapis.com/";

/// The configuration `fields` (an object) of an extension of type `kind`.
pub(crate) fn any(kind: &str, fields: Value) -> Value {
    with(fields, "@type", format!("{TYPES}{kind}").into())
}

/// The object `object` with one field more.
pub(crate) fn with(mut object: Value, key: &str, field: Value) -> Value {
    if let Value::Object(fields) = &mut object {
        fields.insert(key.to_owned(), field);
    }
    object
}

/// The object `object` with the fields of another one.
pub(crate) fn with_all(mut object: Value, other: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut object, other) {
        fields.extend(more);
    }
    object
}

/// An extension as most places of Envoy's configuration want it.
pub(crate) fn extension(name: &str, kind: &str, fields: Value) -> Value {
    json!({ "name": name, "typed_config": any(kind, fields) })
}

/// An address to listen on or to connect to.
pub(crate) fn address(address: SocketAddr) -> Value {
    host_and_port(&address.ip().to_string(), address.port())
}

/// The same of a host that may be a DNS name.
pub(crate) fn host_and_port(host: &str, port: u16) -> Value {
    json!({ "socket_address": { "address": host, "port_value": port } })
}

/// A time span as protobuf's JSON writes it.
pub(crate) fn seconds(span: Duration) -> String {
    format!("{}s", span.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_in_seconds_without_an_exponent() {
        assert_eq!(seconds(Duration::from_millis(1)), "0.001s");
        assert_eq!(seconds(Duration::from_micros(1)), "0.000001s");
        assert_eq!(seconds(Duration::from_secs(600)), "600s");
    }
}
