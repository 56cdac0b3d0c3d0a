//! What the plan needs to know of a request, read in one pass over its headers, and whether it may run twice.

mod retry_header;
mod shape;

pub use retry_header::RetryHeader;

use crate::envoy::{ATTEMPT_HEADER, DEADLINE_HEADER};
use crate::policy::Idempotent;
use crate::time::Millis;

/// What the plan needs to know of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestFacts {
    /// What kind of request it is.
    pub kind: Kind,
    /// Its method is one that HTTP calls idempotent or safe: GET, HEAD, OPTIONS, TRACE, PUT or DELETE.
    pub idempotent_method: bool,
    /// It carries a key by which the function can tell a repetition: `Idempotency-Key`, or CloudEvents' `ce-id` with
    /// `ce-source`.
    pub keyed: bool,
    /// It is gRPC.
    pub grpc: bool,
    /// A hash of its method and of its path's shape: requests alike in both take about as long.
    pub shape: u32,
    /// It is a call that somebody makes while serving a repeated attempt: the first attempt, or another one, has the
    /// same calls to make.
    pub is_within_repetition: bool,
    /// Until when the call that it is part of is waited for.
    pub deadline: Option<Millis>,
    /// Which of Envoy's retry headers the client had sent: the bits of [`RetryHeader`]s.
    pub client_headers: u8,
}

/// What kind of request it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// A request of a client: protected.
    #[default]
    Call,
    /// A health check of the platform: it asks about one place and must not be answered by another.
    Probe,
    /// A WebSocket or another upgrade, or CONNECT: a connection, not a request.
    Upgrade,
}

/// Headers that mark Knative's and the kubelet's probes, whatever their value.
const PROBE_HEADERS: [&[u8]; 4] =
    [b"k-network-probe", b"k-network-hash", b"k-kubelet-probe", b"knative-autoscaling-probe"];

/// How the user agents of probes begin.
const PROBE_AGENTS: [&[u8]; 3] = [b"kube-probe/", b"Knative-Ingress-Probe", b"Knative-Activator-Probe"];

fn is_probe_agent(agent: &[u8]) -> bool {
    // All of them begin with that letter, of one case or the other.
    matches!(agent, [b'k' | b'K', ..]) && PROBE_AGENTS.iter().any(|probe| agent.starts_with(probe))
}

impl RequestFacts {
    /// Reads the facts from headers with lower-case names, as Envoy keeps them. Values may be any bytes.
    pub fn read<'a>(headers: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let mut facts = Self::default();
        let (mut ce_id, mut ce_source) = (false, false);
        for (name, value) in headers {
            // By the first letters: most headers are none of these, and every request pays for looking.
            match name {
                [b':', b'm', ..] if name == b":method" => facts.read_method(value),
                [b':', b'p', ..] if name == b":path" => facts.shape ^= shape::of_path(value),
                [b'i', b'd', ..] if name == b"idempotency-key" => facts.keyed = true,
                [b'c', b'e', ..] => match name {
                    b"ce-id" => ce_id = true,
                    b"ce-source" => ce_source = true,
                    _ => {}
                },
                [b'c', b'o', ..] if name == b"content-type" => {
                    facts.grpc = value.starts_with(b"application/grpc")
                }
                [b'u', b'p', ..] if name == b"upgrade" => facts.kind = Kind::Upgrade,
                [b'u', b's', ..] if name == b"user-agent" && is_probe_agent(value) => {
                    facts.kind = Kind::Probe
                }
                [b'k', ..] if PROBE_HEADERS.contains(&name) => facts.kind = Kind::Probe,
                [b'x', b'-', b'e', ..] if name.starts_with(b"x-envoy-") => {
                    facts.read_client_header(name, value)
                }
                [b'x', b'-', b's', ..] if name == DEADLINE_HEADER.as_bytes() => {
                    facts.deadline = number(value).map(Millis)
                }
                _ => {}
            }
        }
        facts.keyed |= ce_id && ce_source;
        facts
    }

    fn read_method(&mut self, method: &[u8]) {
        self.shape ^= shape::of_method(method);
        self.idempotent_method =
            matches!(method, b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE" | b"PUT" | b"DELETE");
        if method == b"CONNECT" {
            self.kind = Kind::Upgrade;
        }
    }

    fn read_client_header(&mut self, name: &[u8], value: &[u8]) {
        if name == ATTEMPT_HEADER.as_bytes() {
            self.is_within_repetition = number(value).is_some_and(|attempt| attempt > 1);
        }
        if let Some(known) = RetryHeader::ALL.into_iter().find(|header| header.name().as_bytes() == name) {
            self.client_headers |= known.bit();
        }
    }

    /// The client had sent this header.
    #[must_use]
    pub const fn client_sent(&self, header: RetryHeader) -> bool {
        self.client_headers & header.bit() != 0
    }

    /// The request may run twice. If not, only failures that prove that nothing ran are tried again.
    #[must_use]
    pub fn may_repeat(&self, idempotent: Idempotent) -> bool {
        match idempotent {
            Idempotent::Always => true,
            Idempotent::Never => false,
            Idempotent::ByMethod => self.idempotent_method || self.keyed,
        }
    }
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(headers: &[(&str, &str)]) -> RequestFacts {
        RequestFacts::read(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())))
    }

    #[test]
    fn methods_that_may_repeat_are_those_that_http_says() {
        for (method, expected) in [
            ("GET", true),
            ("HEAD", true),
            ("OPTIONS", true),
            ("TRACE", true),
            ("PUT", true),
            ("DELETE", true),
            ("POST", false),
            ("PATCH", false),
            ("CONNECT", false),
            ("get", false),
            ("", false),
        ] {
            assert_eq!(facts(&[(":method", method)]).may_repeat(Idempotent::ByMethod), expected, "{method}");
        }
    }

    #[test]
    fn a_key_makes_a_post_repeatable_and_half_a_cloudevent_does_not() {
        let post = (":method", "POST");
        assert!(facts(&[post, ("idempotency-key", "7")]).may_repeat(Idempotent::ByMethod));
        assert!(facts(&[post, ("ce-id", "1"), ("ce-source", "/a")]).may_repeat(Idempotent::ByMethod));
        assert!(!facts(&[post, ("ce-id", "1")]).may_repeat(Idempotent::ByMethod));
    }

    #[test]
    fn the_owner_has_the_last_word() {
        assert!(facts(&[(":method", "POST")]).may_repeat(Idempotent::Always));
        assert!(!facts(&[(":method", "GET"), ("idempotency-key", "7")]).may_repeat(Idempotent::Never));
    }

    #[test]
    fn probes_and_upgrades_are_told_from_calls() {
        for probe in
            [("k-network-probe", "queue"), ("user-agent", "kube-probe/1.34"), ("k-network-hash", "override")]
        {
            assert_eq!(facts(&[(":method", "GET"), probe]).kind, Kind::Probe, "{probe:?}");
        }
        assert_eq!(facts(&[("upgrade", "websocket")]).kind, Kind::Upgrade);
        assert_eq!(facts(&[(":method", "CONNECT")]).kind, Kind::Upgrade);
        assert_eq!(facts(&[("user-agent", "curl"), ("keep-alive", "1")]).kind, Kind::Call);
    }

    #[test]
    fn clients_retry_headers_are_seen_and_others_are_not() {
        let facts = facts(&[("x-envoy-max-retries", "9"), ("x-envoy-internal", "true")]);
        let sent: Vec<RetryHeader> =
            RetryHeader::ALL.into_iter().filter(|header| facts.client_sent(*header)).collect();
        assert_eq!(sent, [RetryHeader::MaxRetries]);
    }

    #[test]
    fn a_call_within_a_repeated_attempt_is_known_by_the_header_that_its_caller_passed_on() {
        for (value, expected) in [("1", false), ("2", true), ("17", true), ("", false), ("-2", false)] {
            assert_eq!(facts(&[("x-envoy-attempt-count", value)]).is_within_repetition, expected, "{value}");
        }
        assert_eq!(facts(&[("x-steadfaas-deadline", "7000")]).deadline, Some(Millis(7_000)));
        assert_eq!(facts(&[("x-steadfaas-deadline", "soon")]).deadline, None);
    }

    #[test]
    fn values_may_be_any_bytes() {
        let facts = RequestFacts::read([(&b"content-type"[..], &[0xff, 0xfe][..])].into_iter());
        assert!(!facts.grpc);
    }
}
