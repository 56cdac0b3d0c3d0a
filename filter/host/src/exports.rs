//! The callbacks of the proxy-wasm ABI 0.2.1: what the proxy calls in this module, handed on to the filter.
//!
//! They are written out here and not taken from the SDK: that one keeps an object for each request and has to be told
//! of its making and of its end, and each of these calls crosses into the virtual machine once more.
#![allow(
    unsafe_code,
    reason = "the proxy finds these functions by their names, so the names must stay as they are"
)]

use std::cell::OnceCell;

use crate::logger;

/// What a proxy asks of the filter. Requests are named by the proxy's own numbers for them.
pub trait Callbacks {
    /// A root context's configuration of so many bytes is there to be read; says whether it is right.
    fn configured(&self, root: u32, size: usize) -> bool;
    /// A root context's time between two ticks is over.
    fn tick(&self, root: u32);
    /// The answer to our own call with this token is there, or has failed: then it has no headers.
    fn call_answered(&self, token: u32, has_headers: bool, body_size: usize);
    /// A request's headers are there. `is_whole`: no body comes after them.
    fn request_headers(&self, request: u32, is_whole: bool);
    /// The headers of a request's answer are there.
    fn response_headers(&self, request: u32);
    /// A request is over. Envoy says so once of each whose headers it has shown, whatever became of it.
    fn request_over(&self, request: u32);
}

thread_local! {
    static FILTER: OnceCell<Box<dyn Callbacks>> = const { OnceCell::new() };
}

/// Starts the virtual machine with this filter.
pub fn start(filter: Box<dyn Callbacks>) {
    logger::install();
    // The proxy starts a machine once; were it to do so again, the filter that is there would stay.
    let _ = FILTER.with(|place| place.set(filter));
}

/// Makes `filter` the one whose callbacks the proxy calls.
#[macro_export]
macro_rules! main {
    ($filter:expr) => {
        /// What the proxy calls first.
        #[unsafe(no_mangle)]
        pub extern "C" fn _initialize() {
            $crate::start(Box::new($filter));
        }
    };
}

fn with<T>(call: impl FnOnce(&dyn Callbacks) -> T) -> Option<T> {
    FILTER.with(|place| place.get().map(|filter| call(filter.as_ref())))
}

/// Headers go on their way: the filter never holds a request or an answer up.
const CONTINUE: u32 = 0;

/// By its presence the proxy knows the version of the ABI.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Where the proxy puts what it gives back; [`crate::abi`] takes it over from there.
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut u8 {
    Box::into_raw(vec![0_u8; size].into_boxed_slice()).cast()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root: u32, size: usize) -> bool {
    with(|filter| filter.configured(root, size)).unwrap_or(false)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root: u32) {
    with(|filter| filter.tick(root));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    _root: u32,
    token: u32,
    headers: usize,
    body: usize,
    _trailers: usize,
) {
    with(|filter| filter.call_answered(token, headers > 0, body));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(request: u32, _count: usize, is_whole: bool) -> u32 {
    with(|filter| filter.request_headers(request, is_whole));
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(request: u32, _count: usize, _is_end: bool) -> u32 {
    with(|filter| filter.response_headers(request));
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_log(request: u32) {
    with(|filter| filter.request_over(request));
}
