//! Filter state: what a request's own record says in access logs.

use prost::Message;

use crate::abi;

/// Declares the filter state `wasm.<name>` of requests as a protobuf text, so that access logs show it as it is: what isn't
/// declared, or is declared as bytes or text, they show as base64.
pub fn declare_filter_state(name: &str) {
    let declaration = DeclareProperty {
        name: name.to_owned(),
        read_only: false,
        kind: KIND_PROTOBUF,
        schema: "type.googleapis.com/google.protobuf.StringValue".to_owned(),
        span: SPAN_REQUEST,
    };
    abi::call_foreign_function("declare_property", &declaration.encode_to_vec());
}

/// Writes the filter state `wasm.<name>` of the current request.
pub fn set_filter_state(name: &str, text: &str) {
    abi::set_property(name.as_bytes(), &StringValue { value: text.to_owned() }.encode_to_vec());
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
