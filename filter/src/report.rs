//! What a request's own record says: the filter state for access logs, and the response header for debugging.

use steadfaas_core::envoy::{FILTER_STATE, RESPONSE_HEADER};
use steadfaas_host as host;

/// Makes the filter state known to access logs.
pub(crate) fn declare() {
    host::declare_filter_state(FILTER_STATE);
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
