//! The proxy-wasm ABI 0.2.1, as far as the filter uses it: the imported functions and how memory changes hands.
#![allow(unsafe_code, reason = "host functions take and give pointers into this module's memory")]

use std::ptr::{null, null_mut};

/// The map and buffer types of the ABI that the filter uses.
pub(super) const REQUEST_HEADERS: u32 = 0;
pub(super) const RESPONSE_HEADERS: u32 = 2;
pub(super) const CALL_HEADERS: u32 = 6;
pub(super) const CALL_BODY: u32 = 4;
pub(super) const PLUGIN_CONFIGURATION: u32 = 7;

/// What the host said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It did it.
    Done,
    /// The shared value is another one by now.
    Conflict,
    /// It refused, with this status of the ABI.
    Refused(u32),
}

/// The kinds of metrics.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub enum MetricKind {
    /// Counts up.
    Counter = 0,
    /// Is set.
    Gauge = 1,
}

const OK: u32 = 0;
const CAS_MISMATCH: u32 = 8;

fn outcome(status: u32) -> Outcome {
    match status {
        OK => Outcome::Done,
        CAS_MISMATCH => Outcome::Conflict,
        other => Outcome::Refused(other),
    }
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, text: *const u8, size: usize) -> u32;
    fn proxy_get_property(path: *const u8, path_size: usize, value: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_get_header_map_pairs(map: u32, value: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max: usize,
        value: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        value: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(key: *const u8, key_size: usize, value: *const u8, size: usize, cas: u32)
    -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, metric: *mut u32) -> u32;
    fn proxy_increment_metric(metric: u32, offset: i64) -> u32;
    fn proxy_record_metric(metric: u32, value: u64) -> u32;
    fn proxy_get_metric(metric: u32, value: *mut u64) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout: u32,
        token: *mut u32,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        argument: *const u8,
        argument_size: usize,
        result: *mut *mut u8,
        result_size: *mut usize,
    ) -> u32;
}

/// Takes over what the host allocated in this module (by [`crate::exports`]' `malloc`) and wrote to.
fn take(value: *mut u8, size: usize) -> Vec<u8> {
    if value.is_null() {
        return Vec::new();
    }
    // SAFETY: `malloc` made it as a boxed slice of `size` bytes, and the host gave it to us alone.
    unsafe { Vec::from_raw_parts(value, size, size) }
}

/// Makes a call that gives back bytes.
fn bytes_of(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let (mut value, mut size) = (null_mut(), 0);
    let status = call(&raw mut value, &raw mut size);
    (status == OK).then(|| take(value, size))
}

pub(super) fn log(level: u32, text: &str) {
    // SAFETY: the pointer is valid for the size given, and the host only reads it. Of a refusal nobody could be told.
    unsafe { proxy_log(level, text.as_ptr(), text.len()) };
}

pub(super) fn get_property(path: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: the pointers are valid for the sizes given, and the host only reads or sets them.
    bytes_of(|value, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), value, size) })
}

pub(super) fn set_property(path: &[u8], value: &[u8]) {
    // SAFETY: as above. A refusal leaves the property unset, which is all that can be done about it.
    unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) };
}

pub(super) fn current_time_nanoseconds() -> u64 {
    let mut time = 0;
    // SAFETY: `time` lives through the call.
    unsafe { proxy_get_current_time_nanoseconds(&raw mut time) };
    time
}

pub(super) fn set_tick_period(millis: u32) {
    // SAFETY: no pointers.
    unsafe { proxy_set_tick_period_milliseconds(millis) };
}

pub(super) fn get_header_map(map: u32) -> Option<Vec<u8>> {
    // SAFETY: as in `get_property`.
    bytes_of(|value, size| unsafe { proxy_get_header_map_pairs(map, value, size) })
}

pub(super) fn get_header(map: u32, name: &str) -> Option<Vec<u8>> {
    // SAFETY: as in `get_property`.
    bytes_of(|value, size| unsafe { proxy_get_header_map_value(map, name.as_ptr(), name.len(), value, size) })
}

pub(super) fn replace_header(map: u32, name: &str, value: &str) {
    // SAFETY: the pointers are valid for the sizes given, and the host only reads them.
    unsafe { proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
}

pub(super) fn remove_header(map: u32, name: &str) {
    // SAFETY: as above.
    unsafe { proxy_remove_header_map_value(map, name.as_ptr(), name.len()) };
}

pub(super) fn get_buffer(buffer: u32, max: usize) -> Option<Vec<u8>> {
    // SAFETY: as in `get_property`.
    bytes_of(|value, size| unsafe { proxy_get_buffer_bytes(buffer, 0, max, value, size) })
}

pub(super) fn get_shared_data(key: &str) -> (Option<Vec<u8>>, u32) {
    let mut cas = 0;
    // SAFETY: as in `get_property`; `cas` lives through the call.
    let value = bytes_of(|value, size| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), value, size, &raw mut cas)
    });
    (value, cas)
}

pub(super) fn set_shared_data(key: &str, value: &[u8], cas: u32) -> Outcome {
    // SAFETY: the pointers are valid for the sizes given, and the host only reads them.
    outcome(unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) })
}

pub(super) fn define_metric(kind: MetricKind, name: &str) -> Option<u32> {
    let mut metric = 0;
    // SAFETY: as above; `metric` lives through the call.
    let status = unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut metric) };
    (status == OK).then_some(metric)
}

pub(super) fn increment_metric(metric: u32, offset: i64) {
    // SAFETY: no pointers.
    unsafe { proxy_increment_metric(metric, offset) };
}

pub(super) fn record_metric(metric: u32, value: u64) {
    // SAFETY: no pointers.
    unsafe { proxy_record_metric(metric, value) };
}

pub(super) fn get_metric(metric: u32) -> u64 {
    let mut value = 0;
    // SAFETY: `value` lives through the call.
    unsafe { proxy_get_metric(metric, &raw mut value) };
    value
}

pub(super) fn call_foreign_function(name: &str, argument: &[u8]) -> Outcome {
    let (mut result, mut size) = (null_mut(), 0);
    // SAFETY: the pointers are valid for the sizes given; the host reads the first two and sets the last.
    let status = unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            argument.as_ptr(),
            argument.len(),
            &raw mut result,
            &raw mut size,
        )
    };
    drop(take(result, size));
    outcome(status)
}

/// Starts a call without a body and trailers; `headers` and `trailers` are maps in the ABI's form.
pub(super) fn http_call(cluster: &str, headers: &[u8], trailers: &[u8], timeout: u32) -> Option<u32> {
    let mut token = 0;
    // SAFETY: the pointers are valid for the sizes given, and the host only reads them; `token` lives through the call.
    let status = unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            null(),
            0,
            trailers.as_ptr(),
            trailers.len(),
            timeout,
            &raw mut token,
        )
    };
    (status == OK).then_some(token)
}
