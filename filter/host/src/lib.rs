//! The only place that calls the proxy, and the only one with unsafe code. Nothing here panics: whatever the host
//! answers becomes a value.
//!
//! The SDK's own wrappers panic on statuses they don't expect, copy more than is needed, and want more callbacks than
//! a request has to cost, so calls and callbacks are the ABI's own.

mod abi;
mod exports;
mod filter_state;
mod logger;
mod map;
mod metrics;

use std::time::Duration;

use steadfaas_core::headers::pairs;
use steadfaas_core::time::{self, Micros, Millis};

pub use abi::{MetricKind, Outcome};
pub use exports::{Callbacks, start};
pub use filter_state::{declare_filter_state, set_filter_state};
pub use metrics::{Count, Gauge};

/// The property's bytes; nothing if it isn't there.
///
/// `path`: its parts joined by NUL, as the ABI wants them: constants, so that no request has to build them.
#[must_use]
pub fn property(path: &str) -> Option<Vec<u8>> {
    abi::get_property(path.as_bytes())
}

/// A property that is text.
#[must_use]
pub fn text_property(path: &str) -> Option<String> {
    String::from_utf8(property(path)?).ok()
}

/// A property that is a number: eight bytes, little endian.
#[must_use]
pub fn number_property(path: &str) -> Option<u64> {
    Some(u64::from_le_bytes(property(path)?.try_into().ok()?))
}

/// The time by the proxy's clock, as fine as requests are timed.
#[must_use]
pub fn clock() -> Micros {
    /// The ABI's clock counts nanoseconds.
    const NANOS_PER_MICRO: u64 = 1_000;
    Micros(abi::current_time_nanoseconds() / NANOS_PER_MICRO)
}

/// The time by the proxy's clock.
#[must_use]
pub fn now() -> Millis {
    clock().millis()
}

/// Asks for a tick every `period`.
pub fn set_tick_period(period: Duration) {
    abi::set_tick_period(millis(period));
}

fn millis(span: Duration) -> u32 {
    u32::try_from(time::millis(span)).unwrap_or(u32::MAX)
}

/// The request's headers in the ABI's own form; [`steadfaas_core::headers::pairs`] reads them.
#[must_use]
pub fn request_headers() -> Vec<u8> {
    abi::get_header_map(abi::REQUEST_HEADERS).unwrap_or_default()
}

/// Whether the request has this header. That it hasn't is cheap to know: what is there, the proxy copies.
#[must_use]
pub fn has_request_header(name: &str) -> bool {
    abi::get_header(abi::REQUEST_HEADERS, name).is_some()
}

/// Sets a request header, whatever it was before.
pub fn set_request_header(name: &str, value: &str) {
    abi::replace_header(abi::REQUEST_HEADERS, name, value);
}

/// Removes a request header.
pub fn remove_request_header(name: &str) {
    abi::remove_header(abi::REQUEST_HEADERS, name);
}

/// Sets a response header, whatever it was before.
pub fn set_response_header(name: &str, value: &str) {
    abi::replace_header(abi::RESPONSE_HEADERS, name, value);
}

/// The body of the answer to our own call, within its callback.
#[must_use]
pub fn call_body(size: usize) -> Option<Vec<u8>> {
    abi::get_buffer(abi::CALL_BODY, size)
}

/// The plugin's configuration, within its callback.
#[must_use]
pub fn plugin_configuration(size: usize) -> Option<Vec<u8>> {
    abi::get_buffer(abi::PLUGIN_CONFIGURATION, size)
}

/// A shared value and the number that a change of it has to name.
#[must_use]
pub fn shared(key: &str) -> (Option<Vec<u8>>, u32) {
    abi::get_shared_data(key)
}

/// Stores a shared value if it is still the one with the number `cas` (`None`: if there is none yet).
pub fn set_shared(key: &str, value: &[u8], cas: Option<u32>) -> Outcome {
    /// Create-if-absent: a number that no stored value ever has makes the host refuse if there is one.
    const MATCHES_NONE: u32 = u32::MAX;
    abi::set_shared_data(key, value, cas.unwrap_or(MATCHES_NONE))
}

/// Defines a metric; the same name gives the same metric in all workers.
#[must_use]
pub fn define_metric(kind: MetricKind, name: &str) -> Option<u32> {
    abi::define_metric(kind, name)
}

/// Adds to a counter. Adding nothing is an error to the host, so it isn't asked to.
pub fn add_to_counter(metric: u32, amount: u64) {
    if amount > 0 {
        abi::increment_metric(metric, i64::try_from(amount).unwrap_or(i64::MAX));
    }
}

/// A metric's value across all workers.
#[must_use]
pub fn metric(metric: u32) -> u64 {
    abi::get_metric(metric)
}

/// `GET path` from `cluster`. Gives the call's token, or nothing if the host wouldn't start it.
#[must_use]
pub fn get(cluster: &str, path: &str, timeout: Duration) -> Option<u32> {
    let headers = map::of(&[(":method", "GET"), (":path", path), (":authority", cluster)]);
    abi::http_call(cluster, &headers, &map::of(&[]), millis(timeout))
}

/// The status of the answer to our own call, within its callback.
#[must_use]
pub fn call_status() -> Option<u16> {
    let headers = abi::get_header_map(abi::CALL_HEADERS)?;
    let status = pairs(&headers).find(|(name, _)| *name == b":status")?.1;
    std::str::from_utf8(status).ok()?.parse().ok()
}
