//! What a request's own record says: the filter state for access logs, and the response header for debugging.

use prost::Message;
use steadfaas_core::envoy::{FILTER_STATE, RESPONSE_HEADER};
use steadfaas_host as host;

/// Declares the filter state as a protobuf text, so that access logs show it as it is: what isn't declared, or is
/// declared as bytes or text, they show as base64.
pub(crate) fn declare() {
    let declaration = DeclareProperty {
        name: FILTER_STATE.to_owned(),
        read_only: false,
        kind: KIND_PROTOBUF,
        schema: "type.googleapis.com/google.protobuf.StringValue".to_owned(),
        span: SPAN_REQUEST,
    };
    host::call_foreign_function("declare_property", &declaration.encode_to_vec());
}

/// What happened to one request, in words: `active-standby attempts=2 replica=10.0.0.7:8080`.
pub(crate) fn sentence(strategy: &str, attempts: u64, replica: &str) -> String {
    format!("{strategy} attempts={attempts} replica={replica}")
}

/// Writes the filter state of the current request.
pub(crate) fn log(sentence: &str) {
    host::set_filter_state(FILTER_STATE, &StringValue { value: sentence.to_owned() }.encode_to_vec());
}

/// Writes the response header of the current request.
pub(crate) fn answer(sentence: &str) {
    host::set_response_header(RESPONSE_HEADER, sentence);
}

/// `DeclarePropertyArguments` of Envoy's `source/extensions/common/wasm/ext/declare_property.proto`.
#[derive(Clone, PartialEq, Message)]
struct DeclareProperty {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bool, tag = "2")]
    read_only: bool,
    #[prost(int32, tag = "3")]
    kind: i32,
    #[prost(string, tag = "4")]
    schema: String,
    #[prost(int32, tag = "5")]
    span: i32,
}

/// `WasmType.Protobuf` and `LifeSpan.FilterChain` of the same file.
const KIND_PROTOBUF: i32 = 3;
const SPAN_REQUEST: i32 = 0;

/// `google.protobuf.StringValue`.
#[derive(Clone, PartialEq, Message)]
struct StringValue {
    #[prost(string, tag = "1")]
    value: String,
}
