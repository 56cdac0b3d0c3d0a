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

/// Those that mean such an answer, and any connection that breaks as well: Envoy counts that as a 5xx
/// (`RetryStateImpl::wouldRetryFromReset`). Beside them those of [`BREAKS`] say nothing, and each word costs each request
/// some hundred instructions.
const MEAN_BREAKS: [&str; 2] = ["5xx", "gateway-error"];

/// The one of [`BREAKS`] that means all of them.
const ANY_BREAK: &str = "reset";

/// Which failures of a repeatable request are tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryOn {
    /// Value of `x-envoy-retry-on`, without words that others of it include.
    pub http: String,
    /// The same for the part of it that no answer causes, only a connection that breaks; may be empty.
    pub broken: String,
    /// Value of `x-envoy-retry-grpc-on`, written for gRPC requests only; may be empty.
    pub grpc: String,
}

impl Default for RetryOn {
    /// Failures of the replica, not answers of the function: 500 is an answer, 502, 503 and 504 (`gateway-error`) are
    /// what proxies, queue-proxies and dying servers say.
    fn default() -> Self {
        Self {
            http: "gateway-error".to_owned(),
            broken: ANY_BREAK.to_owned(),
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
        let (mut breaks, mut answers): (Vec<&str>, Vec<&str>) =
            http.into_iter().partition(|word| BREAKS.contains(word));
        let mean_breaks = answers.iter().any(|word| MEAN_BREAKS.contains(word));
        if mean_breaks || breaks.contains(&ANY_BREAK) {
            breaks = vec![ANY_BREAK];
        }
        if !mean_breaks {
            answers.extend(&breaks);
        }
        Ok(Self { http: answers.join(","), broken: breaks.join(","), grpc: grpc.join(",") })
    }
}
