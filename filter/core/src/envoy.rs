//! What the filter and the configuration around it must agree on: names, and the retry policy that stands in config.

/// The request header that carries the plan's replicas (`ip:port`, comma separated) to the `override_host` policy.
///
/// It is one of Envoy's own retry headers, on purpose: the router reads the hosts from it first and then *always*
/// removes it before anything is sent (`RetryStateImpl::create`), so it can't reach a function and needs no filter
/// upstream. As a list of status codes an address is not a number and is skipped. Envoy strips it from requests that
/// it takes for external; for the others, a function's filter overwrites or removes it. Run on Envoy 1.36 and 1.40.
pub const REPLICAS_HEADER: &str = "x-envoy-retriable-status-codes";

/// Where the policy stands in the metadata of the function's cluster: `filter_metadata.steadfaas.policy`.
pub const METADATA_NAMESPACE: &str = "steadfaas";

/// The key of the policy (a JSON string) within [`METADATA_NAMESPACE`].
pub const METADATA_POLICY: &str = "policy";

/// The filter state that access logs read. A wasm module's properties get the prefix `wasm.`: logs say
/// `%FILTER_STATE(wasm.steadfaas)%`.
pub const FILTER_STATE: &str = "steadfaas";

/// The response header that says the same as the filter state, where the plugin's configuration asks for it.
pub const RESPONSE_HEADER: &str = "x-steadfaas";

/// The request header by which a try that is late starts the next one, where the route's `hedge_policy` doesn't say so.
pub const HEDGE_HEADER: &str = "x-envoy-hedge-on-per-try-timeout";

/// The request header that tells a function until when its answer is waited for, in milliseconds since the Unix epoch;
/// written where the policy has a deadline. A point in time, for a span means nothing to a function that was frozen.
pub const DEADLINE_HEADER: &str = "x-steadfaas-deadline";

/// The request header in which Envoy counts the attempts of a request for the function (`include_request_attempt_count`
/// of the virtual host). A function that passes it on with the calls that it makes itself says that they are part of
/// an attempt: from the second on they aren't multiplied again.
pub const ATTEMPT_HEADER: &str = "x-envoy-attempt-count";

/// The request header that Envoy sets when it tries a request again, and never before
/// (`include_is_timeout_retry_header` of the virtual host): one that lacks it had one attempt at most. Functions see it,
/// as `true` where the attempt before was late, else as `false`.
pub const RETRY_MARK_HEADER: &str = "x-envoy-is-timeout-retry";

/// The cluster of Envoy's own admin endpoint, as it is called in every Istio proxy's bootstrap.
pub const ADMIN_CLUSTER: &str = "prometheus_stats";

/// `retry_on` of the route or cluster: only failures that prove that nothing ran, for Envoy adds up what stands in
/// config and in headers, so whatever stands here holds for requests too that must not run twice.
pub const SAFE_RETRY_ON: &str = "connect-failure,refused-stream,reset-before-request";

/// Base of the retry back-off in config. Envoy's default of 25 ms also delays hedges (a second replica starts 18 ms
/// late in the median); with 1 ms it is 2 ms.
pub const RETRY_BACK_OFF_BASE_MS: u64 = 1;

/// Ceiling of the retry back-off in config: it doubles from the base, jittered, so that an outage isn't hammered.
pub const RETRY_BACK_OFF_MAX_MS: u64 = 1_000;

/// The variable in Envoy's environment with which its timers go off within a millisecond of when they should (it is
/// libevent's). Without it they go by the kernel's ticks: up to 8 ms early, 4 ms late, and hedges with them.
pub const EXACT_TIMERS: (&str, &str) = ("EVENT_PRECISE_TIMER", "1");

/// Properties of a request, as the proxy-wasm ABI wants their paths: parts joined by NUL.
pub mod property {
    /// The cluster that the request is routed to.
    pub const CLUSTER_NAME: &str = "xds\0cluster_name";
    /// The policy in that cluster's metadata.
    pub const POLICY: &str = "xds\0cluster_metadata\0filter_metadata\0steadfaas\0policy";
    /// How many attempts were made. A number.
    pub const ATTEMPTS: &str = "upstream\0request_attempt_count";
    /// The replica whose answer, or whose failure, the client got.
    pub const UPSTREAM_ADDRESS: &str = "upstream\0address";
    /// The answer's status. A number.
    pub const RESPONSE_CODE: &str = "response\0code";
    /// Envoy's response flags. A number.
    pub const RESPONSE_FLAGS: &str = "response\0flags";
}
