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

/// Those of [`HTTP_RETRY_ON_WORDS`] that mean a connection, not an answer.
const BREAKS: [&str; 4] = ["connect-failure", "refused-stream", "reset", "reset-before-request"];

/// Which failures of a repeatable request are tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryOn {
    /// Value of `x-envoy-retry-on`.
    pub http: String,
    /// The part of it that no answer causes, only a connection that breaks; may be empty.
    pub broken: String,
    /// Value of `x-envoy-retry-grpc-on`, written for gRPC requests only; may be empty.
    pub grpc: String,
}

impl Default for RetryOn {
    /// Failures of the replica, not answers of the function: 500 is an answer, 502, 503 and 504 (`gateway-error`) are
    /// what proxies, queue-proxies and dying servers say.
    fn default() -> Self {
        Self {
            http: "connect-failure,refused-stream,reset,gateway-error".to_owned(),
            broken: "connect-failure,refused-stream,reset".to_owned(),
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
        // `5xx` means a broken connection too.
        let is_break = |word: &&str| BREAKS.contains(word);
        let breaks: Vec<&str> = if http.contains(&"5xx") {
            BREAKS.to_vec()
        } else {
            http.iter().copied().filter(is_break).collect()
        };
        Ok(Self { http: http.join(","), broken: breaks.join(","), grpc: grpc.join(",") })
    }
}
