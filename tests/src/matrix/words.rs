//! The words of the fault matrix: kinds of requests, and faults.

use std::fmt;
use std::time::Duration;

use hyper::Method;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A GET.
    Get,
    /// A POST that nobody may repeat.
    Post,
    /// A POST with an `Idempotency-Key`.
    KeyedPost,
}

impl Call {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Get, Self::Post, Self::KeyedPost];

    /// Its method.
    #[must_use]
    pub fn method(self) -> Method {
        if self == Self::Get { Method::GET } else { Method::POST }
    }

    /// Its headers.
    #[must_use]
    pub fn headers(self) -> HeaderMap {
        let key = (HeaderName::from_static("idempotency-key"), HeaderValue::from_static("7f3a"));
        HeaderMap::from_iter((self == Self::KeyedPost).then_some(key))
    }

    /// As a part of a name.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::KeyedPost => "keyed-post",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Post => "POST without key",
            Self::KeyedPost => "POST with key",
        })
    }
}

/// What happens to a function's replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The busiest is killed.
    Killed,
    /// The busiest closes its port.
    Refused,
    /// The busiest is frozen.
    Frozen,
    /// The busiest is frozen, and Envoy checks the replicas' health.
    FrozenAndProbed,
    /// The busiest answers 503.
    Answers503,
    /// The busiest answers 500.
    Answers500,
    /// The busiest resets connections once it has read the request.
    ResetsAfterRequest,
    /// The busiest resets connections in the middle of its answers.
    ResetsInAnswer,
    /// The busiest sends heads of answers and nothing more.
    SilentAfterHead,
    /// The busiest has started again and is slow for a second.
    StartsSlowly,
    /// The busiest says on its health path that it isn't well.
    SaysUnhealthy,
    /// All close their ports.
    AllDown,
    /// All close their ports, half of them open it again.
    HalfBackAgain,
    /// The one that stands by freezes, an active one is killed long after.
    StandbyDeadBefore,
    /// The busiest is killed and replaced; then the one that took over is killed.
    PromotedKilled,
    /// All but one leave, then the last one too, and then all are back.
    ScaledToZeroAndBack,
    /// All are replaced by others.
    Replaced,
    /// One after another is replaced by another.
    RolledOver,
    /// None, but the cluster ejects hosts for each 5xx.
    EagerOutlierDetection,
}

impl Fault {
    /// Those that can befall any function.
    pub const ALL: [Self; 19] = [
        Self::Killed,
        Self::Refused,
        Self::Frozen,
        Self::FrozenAndProbed,
        Self::Answers503,
        Self::Answers500,
        Self::ResetsAfterRequest,
        Self::ResetsInAnswer,
        Self::SilentAfterHead,
        Self::StartsSlowly,
        Self::SaysUnhealthy,
        Self::AllDown,
        Self::HalfBackAgain,
        Self::StandbyDeadBefore,
        Self::PromotedKilled,
        Self::ScaledToZeroAndBack,
        Self::Replaced,
        Self::RolledOver,
        Self::EagerOutlierDetection,
    ];

    /// As a part of a name.
    pub(super) fn word(self) -> String {
        let mut word = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !word.is_empty() {
                word.push('-');
            }
            word.push(letter.to_ascii_lowercase());
        }
        word
    }

    /// The settings that its policy has beside the strategy.
    #[must_use]
    pub fn settings(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::StandbyDeadBefore | Self::FrozenAndProbed | Self::SaysUnhealthy => {
                vec![("probe", "http:/healthz@100ms")]
            }
            _ => Vec::new(),
        }
    }

    /// Its replicas are processes of the sample function, for the fault is one of processes.
    #[must_use]
    pub fn is_of_processes(self) -> bool {
        matches!(
            self,
            Self::Killed
                | Self::Frozen
                | Self::FrozenAndProbed
                | Self::StandbyDeadBefore
                | Self::PromotedKilled
                | Self::ScaledToZeroAndBack
                | Self::Replaced
                | Self::RolledOver
        )
    }

    /// Its cluster's members come from a file, which the test replaces.
    #[must_use]
    pub fn is_of_members(self) -> bool {
        matches!(self, Self::ScaledToZeroAndBack | Self::Replaced | Self::RolledOver)
    }

    /// How long clients wait for their answers. Where replicas come back, longer than that and a back-off last, for a
    /// request that waits tries whichever replica is next, dead or not; elsewhere long enough to call it a failure.
    #[must_use]
    pub fn patience(self) -> Duration {
        match self {
            Self::HalfBackAgain | Self::StandbyDeadBefore => Duration::from_secs(10),
            _ => Duration::from_secs(2),
        }
    }

    /// How long its cell's load lasts.
    #[must_use]
    pub fn length(self) -> Duration {
        Duration::from_millis(match self {
            Self::StandbyDeadBefore => 9_000,
            // Time for a trial or two that it doesn't pass yet.
            Self::StartsSlowly => 7_000,
            Self::PromotedKilled => 5_500,
            Self::ScaledToZeroAndBack | Self::RolledOver | Self::HalfBackAgain => 4_500,
            _ => 4_000,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Killed => "one is killed",
            Self::Refused => "one closes its port",
            Self::Frozen => "one is frozen",
            Self::FrozenAndProbed => "one is frozen, and checked",
            Self::Answers503 => "one answers 503",
            Self::Answers500 => "one answers 500",
            Self::ResetsAfterRequest => "one resets after requests",
            Self::ResetsInAnswer => "one resets in its answers",
            Self::SilentAfterHead => "one sends heads, then nothing",
            Self::StartsSlowly => "one starts slowly",
            Self::SaysUnhealthy => "one's check fails",
            Self::AllDown => "all are down",
            Self::HalfBackAgain => "all are down, half of them come back",
            Self::StandbyDeadBefore => "the standby froze long before the active one is killed",
            Self::PromotedKilled => "one is killed and replaced, then the one that took over is killed",
            Self::ScaledToZeroAndBack => "scaled to one, to zero, and back",
            Self::Replaced => "all are replaced at once",
            Self::RolledOver => "all are replaced one by one",
            Self::EagerOutlierDetection => "none fails, but each 5xx ejects one",
        })
    }
}
