//! `retry-on`: Envoy's own words for what is tried again.

use super::PolicyError;

/// Words of `x-envoy-retry-on` that a policy may use.
pub const HTTP_RETRY_ON_WORDS: [&str; 8] = [
    "5xx",
    "gateway-error",
    "reset",
    "reset-before-request",
    "connect-failure",
    "envoy-ratelimited",
    "retriable-4xx",
    "refused-stream",
];

/// Words of `x-envoy-retry-grpc-on` that a policy may use.
pub const GRPC_RETRY_ON_WORDS: [&str; 5] =
    ["cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"];

/// Which failures of a repeatable request are tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryOn {
    /// Value of `x-envoy-retry-on`.
    pub http: String,
    /// Value of `x-envoy-retry-grpc-on`, written for gRPC requests only; may be empty.
    pub grpc: String,
}

impl Default for RetryOn {
    /// Failures of the replica, not answers of the function: 500 is an answer, 502, 503 and 504 (`gateway-error`) are
    /// what proxies, queue-proxies and dying servers say.
    fn default() -> Self {
        Self {
            http: "connect-failure,refused-stream,reset,gateway-error".to_owned(),
            grpc: "unavailable".to_owned(),
        }
    }
}

impl RetryOn {
    /// Sorts the words of `text` by the header that takes them.
    pub(super) fn parse(text: &str) -> Result<Self, PolicyError> {
        let (mut http, mut grpc) = (Vec::new(), Vec::new());
        for word in text.split(',').map(str::trim) {
            if HTTP_RETRY_ON_WORDS.contains(&word) {
                http.push(word);
            } else if GRPC_RETRY_ON_WORDS.contains(&word) {
                grpc.push(word);
            } else {
                let expected = "Envoy's words, comma separated: 5xx, gateway-error, reset, reset-before-request, \
                                connect-failure, envoy-ratelimited, retriable-4xx, refused-stream; for gRPC cancelled, \
                                deadline-exceeded, internal, resource-exhausted, unavailable";
                return Err(PolicyError::bad("retry-on", word, expected));
            }
        }
        Ok(Self { http: http.join(","), grpc: grpc.join(",") })
    }
}
