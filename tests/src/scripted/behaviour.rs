//! What a scripted replica does with a request.

use std::net::SocketAddr;
use std::time::Duration;

use hyper::StatusCode;

/// What a scripted replica does with each request that arrives from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers after this long.
    Well(Duration),
    /// Reads requests, runs them as far as anybody can tell, and never answers; its `/healthz` doesn't either.
    Frozen,
    /// Answers this status.
    Status(StatusCode),
    /// Answers 200 with this text: an admin endpoint that talks nonsense, say.
    Says(&'static str),
    /// Fails gRPC calls with this code, in trailers only. Other requests are answered well.
    GrpcStatus(u8),
    /// Resets the connection once a request has been read.
    ResetAfterRequest,
    /// Resets the connection after the first half of the answer.
    ResetInAnswer,
    /// Sends the head of the answer and nothing after it.
    HeadThenSilence,
    /// Answers after `first` at the beginning, sooner and sooner, and after `then` once `over` has passed.
    SlowStart {
        /// Time of the first answers.
        first: Duration,
        /// How long the start lasts.
        over: Duration,
        /// Time of answers after the start.
        then: Duration,
    },
    /// Answers requests as [`Behaviour::Well`] does, but says 503 on `/healthz`.
    Unhealthy(Duration),
    /// Calls another function for each request, and answers with its status.
    Calls {
        /// The proxy that the call goes through.
        through: SocketAddr,
        /// The other function's host.
        host: &'static str,
    },
}

impl Behaviour {
    /// How long a request takes when this behaviour began `age` ago.
    pub(super) fn delay(self, age: Duration) -> Duration {
        match self {
            Self::Well(delay) | Self::Unhealthy(delay) => delay,
            Self::SlowStart { first, over, then } if age < over => {
                let left = 1.0 - age.as_secs_f64() / over.as_secs_f64();
                then + first.saturating_sub(then).mul_f64(left)
            }
            Self::SlowStart { then, .. } => then,
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_start_gets_faster_until_it_is_over() {
        let ms = Duration::from_millis;
        let start = Behaviour::SlowStart { first: ms(210), over: ms(1_000), then: ms(10) };
        assert_eq!(start.delay(ms(0)), ms(210));
        assert_eq!(start.delay(ms(500)), ms(110));
        assert_eq!(start.delay(ms(1_000)), ms(10));
    }
}
