//! A function's policy. [`WrittenPolicy`] is what somebody wrote, [`Policy`] is what it means: only the second is ever
//! used on the request path.

mod error;
mod placement;
mod span;
mod words;
mod written;

use std::time::Duration;

pub use error::PolicyError;
#[cfg(test)]
pub(crate) use placement::NOWHERE;
pub use placement::{Placement, Site};
pub use span::parse_span;
pub use words::{GRPC_RETRY_ON_WORDS, HTTP_RETRY_ON_WORDS, RetryOn};
pub use written::{POLICY_VERSION, WrittenPolicy};

/// Every key of the public contract (`steadfaas.dev/<key>`), in the order of the documentation.
pub const KEYS: [&str; 11] = [
    "strategy",
    "tolerate",
    "idempotent",
    "retry-on",
    "hedge-after",
    "budget",
    "deadline",
    "standby-service",
    "start",
    "probe",
    "objective",
];

/// Keys of the contract that no strategy of this version acts on: they are refused by name, not ignored.
const KEYS_NOT_BUILT: [&str; 1] = ["objective"];

/// Strategies of the contract that this version doesn't have.
const STRATEGIES_NOT_BUILT: [&str; 2] = ["quorum", "adaptive"];

/// How a function's requests are kept answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Any well replica; on failure another one.
    Retry,
    /// n - K replicas share the load, K stand by.
    ActiveStandby,
    /// K + 1 replicas at once, the first good answer wins.
    RequestReplication,
    /// Any well replica; the next one starts when the first is among the slowest that the budget has room for.
    Hedged,
}

impl Strategy {
    /// The word that users write.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::ActiveStandby => "active-standby",
            Self::RequestReplication => "request-replication",
            Self::Hedged => "hedged",
        }
    }

    /// All strategies that are built.
    pub const ALL: [Self; 4] = [Self::Retry, Self::ActiveStandby, Self::RequestReplication, Self::Hedged];
}

/// Which requests may run twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotent {
    /// Every request: the owner says so.
    Always,
    /// None, whatever its method.
    Never,
    /// GET, HEAD, OPTIONS, TRACE, PUT, DELETE, and requests that carry a key.
    ByMethod,
}

/// How replicas are checked beside what requests teach. Envoy does the checking: this is for whoever writes its config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Not at all.
    Off,
    /// By opening a connection.
    Tcp {
        /// Time between two checks.
        interval: Duration,
    },
    /// By a GET that must answer 200.
    Http {
        /// The path, with its leading slash.
        path: String,
        /// Time between two checks.
        interval: Duration,
    },
}

/// Probe interval where none is written: a dead replica is out after two failures, 0.2 s, and a check costs a replica
/// ten tiny requests a second.
pub const DEFAULT_PROBE_INTERVAL: Duration = Duration::from_millis(100);

/// Budget where none is written: a tenth of the load more is what a function can usually bear at its busiest.
pub const DEFAULT_BUDGET: u8 = 10;

/// Most replica failures that `tolerate` may ask for: five replicas already cost five times the memory.
pub const MAX_TOLERATE: u8 = 4;

/// What a function's annotations mean. Made by [`Policy::compile`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The function's name, as metrics and messages show it.
    pub function: String,
    /// How its requests are kept answering.
    pub strategy: Strategy,
    /// K: how many replicas may fail at once, 1 to [`MAX_TOLERATE`].
    pub tolerate: u8,
    /// Which of its requests may run twice.
    pub idempotent: Idempotent,
    /// Which failures of a repeatable request are tried again.
    pub retry_on: RetryOn,
    /// After how long without an answer the next replica starts; `None` is `auto`: as the function's speed says.
    pub hedge_after: Option<Duration>,
    /// How many extra attempts a hundred requests may cost, beside the burst; 0: none at all.
    pub budget: u8,
    /// How long a request may take over all its attempts; `None`: as long as the route allows.
    pub deadline: Option<Duration>,
    /// How replicas are checked.
    pub probe: Probe,
    /// Where the replicas are, and who stands by beside them.
    pub placement: Placement,
}

impl Policy {
    /// What `written` means.
    ///
    /// # Errors
    /// The first thing that is wrong with it, by key.
    pub fn compile(written: &WrittenPolicy) -> Result<Self, PolicyError> {
        written.check()?;
        let strategy = compile_strategy(written)?;
        let hedge_after = compile_hedge_after(written, strategy)?;
        compile_start(written)?;
        Ok(Self {
            function: written.function.clone(),
            strategy,
            tolerate: compile_tolerate(written)?,
            idempotent: compile_idempotent(written)?,
            retry_on: written.get("retry-on").map_or_else(|| Ok(RetryOn::default()), RetryOn::parse)?,
            hedge_after,
            budget: compile_budget(written, strategy)?,
            deadline: compile_deadline(written)?,
            probe: written.get("probe").map_or(Ok(Probe::Off), compile_probe)?,
            placement: written.placement.clone(),
        })
    }

    /// `num_retries` of the route or cluster: one more attempt than failures to survive, for the well replica that
    /// answers in the end may itself drop a connection (a keep-alive race). The filter writes a count of its own only
    /// where a plan needs another one.
    #[must_use]
    pub fn retries(&self) -> u32 {
        u32::from(self.tolerate) + 1
    }
}

fn compile_strategy(written: &WrittenPolicy) -> Result<Strategy, PolicyError> {
    let value = written.get("strategy").ok_or(PolicyError::NoStrategy)?;
    if STRATEGIES_NOT_BUILT.contains(&value) {
        return Err(PolicyError::not_built("strategy", value));
    }
    Strategy::ALL.into_iter().find(|strategy| strategy.as_str() == value).ok_or_else(|| {
        PolicyError::bad("strategy", value, "retry, active-standby, request-replication or hedged")
    })
}

fn compile_tolerate(written: &WrittenPolicy) -> Result<u8, PolicyError> {
    let Some(value) = written.get("tolerate") else { return Ok(1) };
    match value.parse::<u8>() {
        Ok(number @ 1..=MAX_TOLERATE) => Ok(number),
        _ => Err(PolicyError::bad("tolerate", value, "a whole number from 1 to 4")),
    }
}

fn compile_idempotent(written: &WrittenPolicy) -> Result<Idempotent, PolicyError> {
    match written.get("idempotent") {
        None | Some("by-method") => Ok(Idempotent::ByMethod),
        Some("true") => Ok(Idempotent::Always),
        Some("false") => Ok(Idempotent::Never),
        Some(other) => Err(PolicyError::bad("idempotent", other, "true, false or by-method")),
    }
}

fn compile_hedge_after(written: &WrittenPolicy, strategy: Strategy) -> Result<Option<Duration>, PolicyError> {
    let expected = "auto, or a duration from 1ms to 60s such as 25ms";
    let value = match written.get("hedge-after") {
        None | Some("auto") => return Ok(None),
        Some(value) => value,
    };
    if strategy == Strategy::RequestReplication {
        let because = "request-replication starts the next replica after 1 ms; leave it out";
        return Err(PolicyError::contradiction("hedge-after", value, because));
    }
    let span = parse_span(value).ok_or_else(|| PolicyError::bad("hedge-after", value, expected))?;
    if span < Duration::from_millis(1) || span > Duration::from_secs(60) {
        return Err(PolicyError::bad("hedge-after", value, expected));
    }
    Ok(Some(span))
}

fn compile_budget(written: &WrittenPolicy, strategy: Strategy) -> Result<u8, PolicyError> {
    let Some(value) = written.get("budget") else { return Ok(DEFAULT_BUDGET) };
    if strategy == Strategy::RequestReplication {
        let because = "request-replication runs each request on every copy; leave it out";
        return Err(PolicyError::contradiction("budget", value, because));
    }
    match value.strip_suffix('%').and_then(|number| number.parse::<u8>().ok()) {
        Some(percent @ 0..=100) => Ok(percent),
        _ => Err(PolicyError::bad("budget", value, "a whole percentage of the requests, from 0% to 100%")),
    }
}

fn compile_deadline(written: &WrittenPolicy) -> Result<Option<Duration>, PolicyError> {
    let Some(value) = written.get("deadline") else { return Ok(None) };
    match parse_span(value) {
        Some(span) if span >= Duration::from_millis(1) && span <= Duration::from_secs(3_600) => {
            Ok(Some(span))
        }
        _ => Err(PolicyError::bad("deadline", value, "a duration from 1ms to 1h such as 2s")),
    }
}

fn compile_start(written: &WrittenPolicy) -> Result<(), PolicyError> {
    match written.get("start") {
        None | Some("staggered") => Ok(()),
        Some("together") => Err(PolicyError::not_built("start", "together")),
        Some(other) => Err(PolicyError::bad("start", other, "staggered")),
    }
}

fn compile_probe(value: &str) -> Result<Probe, PolicyError> {
    let bad = || PolicyError::bad("probe", value, "off, tcp or http:/path, with @interval such as tcp@200ms");
    let (kind, interval) = match value.split_once('@') {
        Some((kind, interval)) => (kind, parse_span(interval).ok_or_else(bad)?),
        None => (value, DEFAULT_PROBE_INTERVAL),
    };
    if interval < Duration::from_millis(10) || interval > Duration::from_secs(300) {
        return Err(PolicyError::bad("probe", value, "an interval from 10ms to 300s"));
    }
    match (kind, kind.strip_prefix("http:")) {
        ("off", _) if !value.contains('@') => Ok(Probe::Off),
        ("tcp", _) => Ok(Probe::Tcp { interval }),
        (_, Some(path)) if path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Probe::Http { path: path.to_owned(), interval })
        }
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests;
