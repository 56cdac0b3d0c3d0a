//! What a client reads when Envoy itself has to answer 503 in a function's place.
//!
//! Only 503s that Envoy makes get here, never the function's own. gRPC clients get the same text as `grpc-message`
//! beside `grpc-status: 14`.

use serde_json::{Value, json};

use crate::envoy::typed::with;

/// So many requests wait for a replica already (`UO`) that no further one may.
const TOO_MANY_WAIT: [&str; 1] = ["UO"];

/// When to come again, in seconds (`Retry-After`): a container is back in about two, and whoever comes early waits
/// here.
const RETRY_AFTER: &str = "1";

/// All attempts failed (`URX`: the retry policy's last one too), or there is no replica to try (`UH`).
const NO_REPLICA_ANSWERED: [&str; 2] = ["URX", "UH"];

/// One replica failed and nobody else was tried: the connection (`UF`), the stream (`UC`, `UR`) or Envoy's side of it
/// (`LR`). So ends a request that may have run and must not run twice, or whose body outgrew the buffer.
const NOT_SENT_AGAIN: [&str; 4] = ["UF", "UC", "UR", "LR"];

/// The texts, by what happened; the first that fits is taken.
pub(super) fn config() -> Value {
    json!({ "mappers": [
        come_again(mapper(
            &TOO_MANY_WAIT,
            "function %UPSTREAM_CLUSTER%: none of its replicas answers, and too many requests wait for one already",
        )),
        come_again(mapper(
            &NO_REPLICA_ANSWERED,
            "function %UPSTREAM_CLUSTER%: none of its replicas answered (attempts: %UPSTREAM_REQUEST_ATTEMPT_COUNT%)",
        )),
        mapper(
            &NOT_SENT_AGAIN,
            "function %UPSTREAM_CLUSTER%: its replica failed, and this request could not be sent to another one",
        ),
    ] })
}

fn come_again(mapper: Value) -> Value {
    let header = json!({ "header": { "key": "retry-after", "value": RETRY_AFTER }, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD" });
    with(mapper, "headers_to_add", json!([header]))
}

fn mapper(flags: &[&str], text: &str) -> Value {
    // The status can be overridden at run time by this key, as Envoy demands; nobody is expected to.
    let status =
        json!({ "op": "EQ", "value": { "default_value": 503, "runtime_key": "steadfaas.local_reply" } });
    json!({
        "filter": { "and_filter": { "filters": [
            { "status_code_filter": { "comparison": status } },
            { "response_flag_filter": { "flags": flags } },
        ] } },
        "body_format_override": { "text_format_source": { "inline_string": text } },
    })
}
