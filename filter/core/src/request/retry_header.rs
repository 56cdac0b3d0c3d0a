//! Envoy's headers by which a request can choose a replica or raise a limit.

use crate::envoy::{HEDGE_HEADER, REPLICAS_HEADER};

/// One of Envoy's headers by which a request can choose a replica or raise a limit. Where a client sent one to a
/// protected function, the filter overwrites or removes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryHeader {
    /// The replicas, in order.
    Replicas,
    /// Which failures are tried again.
    RetryOn,
    /// The same of gRPC's statuses.
    RetryGrpcOn,
    /// Most attempts beyond the first.
    MaxRetries,
    /// After how long an attempt is late.
    PerTryTimeout,
    /// Another attempt starts then, and the late one goes on.
    Hedge,
    /// Which answers with a header of its choice are tried again.
    RetriableHeaderNames,
    /// When the request is over, all attempts together.
    Timeout,
}

impl RetryHeader {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Replicas,
        Self::RetryOn,
        Self::RetryGrpcOn,
        Self::MaxRetries,
        Self::PerTryTimeout,
        Self::Hedge,
        Self::RetriableHeaderNames,
        Self::Timeout,
    ];

    /// The header's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replicas => REPLICAS_HEADER,
            Self::RetryOn => "x-envoy-retry-on",
            Self::RetryGrpcOn => "x-envoy-retry-grpc-on",
            Self::MaxRetries => "x-envoy-max-retries",
            Self::PerTryTimeout => "x-envoy-upstream-rq-per-try-timeout-ms",
            Self::Hedge => HEDGE_HEADER,
            Self::RetriableHeaderNames => "x-envoy-retriable-header-names",
            Self::Timeout => "x-envoy-upstream-rq-timeout-ms",
        }
    }

    /// Its bit in a set of them.
    #[must_use]
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }
}
