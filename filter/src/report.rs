//! What a request's own record says: the filter state for access logs, and the response header for debugging.

use prost::Message;
use steadfaas_core::envoy::{FILTER_STATE, RESPONSE_HEADER};

use crate::host;

/// Declares the filter state as text, so that access logs show it as it is, not as base64.
pub(crate) fn declare() {
    let declaration = DeclareProperty {
        name: FILTER_STATE.to_owned(),
        read_only: false,
        kind: Kind::Text.into(),
        schema: Vec::new(),
        span: 0,
    };
    host::call_foreign_function("declare_property", &declaration.encode_to_vec());
}

/// What happened to one request, in words: `active-standby attempts=2 replica=10.0.0.7:8080`.
pub(crate) fn sentence(strategy: &str, attempts: u64, replica: &str) -> String {
    format!("{strategy} attempts={attempts} replica={replica}")
}

/// Writes the filter state of the current request.
pub(crate) fn log(sentence: &str) {
    host::set_filter_state(FILTER_STATE, sentence);
}

/// Writes the response header of the current request.
pub(crate) fn answer(sentence: &str) {
    host::set_response_header(RESPONSE_HEADER, sentence);
}

/// `envoy.source.extensions.common.wasm.DeclarePropertyArguments` of Envoy's source (declare_property.proto).
#[derive(Clone, PartialEq, Message)]
struct DeclareProperty {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bool, tag = "2")]
    read_only: bool,
    #[prost(enumeration = "Kind", tag = "3")]
    kind: i32,
    #[prost(bytes = "vec", tag = "4")]
    schema: Vec<u8>,
    /// How long it lives; 0 is the filter chain, one request.
    #[prost(int32, tag = "5")]
    span: i32,
}

/// `WasmType` of the same file, as far as it is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
enum Kind {
    Bytes = 0,
    Text = 1,
}
