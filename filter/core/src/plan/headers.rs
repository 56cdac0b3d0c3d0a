//! A plan as Envoy's router reads it: request headers.

use super::{Plan, Repeat};
use crate::envoy::DEADLINE_HEADER;
use crate::policy::Policy;
use crate::request::{RequestFacts, RetryHeader};
use crate::time::millis;
use crate::view::View;

impl Plan {
    /// Says which request headers to set (`Some`) and which of a client's to remove (`None`), each once.
    pub fn write(
        &self,
        policy: &Policy,
        view: &View,
        facts: &RequestFacts,
        write: &mut dyn FnMut(&'static str, Option<&str>),
    ) {
        let mut written = 0_u8;
        let mut set = |header: RetryHeader, value: &str| {
            written |= header.bit();
            write(header.name(), Some(value));
        };
        if !self.order.is_empty() {
            set(RetryHeader::Replicas, &self.addresses(view));
        }
        match self.repeat {
            Repeat::Never => {}
            Repeat::WhenBroken => set(RetryHeader::RetryOn, &policy.retry_on.broken),
            Repeat::AsPolicySays => {
                set(RetryHeader::RetryOn, &policy.retry_on.http);
                if facts.grpc && !policy.retry_on.grpc.is_empty() {
                    set(RetryHeader::RetryGrpcOn, &policy.retry_on.grpc);
                }
            }
        }
        if let Some(retries) = self.max_retries {
            set(RetryHeader::MaxRetries, &retries.to_string());
        }
        if let Some(delay) = self.hedge_after {
            set(RetryHeader::PerTryTimeout, &millis(delay).max(1).to_string());
            set(RetryHeader::Hedge, "true");
        }
        if let Some(deadline) = self.deadline {
            set(RetryHeader::Timeout, &millis(deadline.left).max(1).to_string());
            write(DEADLINE_HEADER, Some(&deadline.at.0.to_string()));
        }
        if facts.client_headers & !written != 0 {
            for header in RetryHeader::ALL {
                if facts.client_sent(header) && written & header.bit() == 0 {
                    write(header.name(), None);
                }
            }
        }
    }

    fn addresses(&self, view: &View) -> String {
        /// Bytes that `ip:port` and a comma take at most, unless it is IPv6.
        const ADDRESS: usize = 22;
        let mut list = String::with_capacity(self.order.len() * ADDRESS);
        for replica in self.order.iter().filter_map(|place| view.replicas.get(*place)) {
            if !list.is_empty() {
                list.push(',');
            }
            list.push_str(&replica.address);
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::admin::Host;
    use crate::plan::Deadline;
    use crate::policy::WrittenPolicy;
    use crate::time::Millis;
    use crate::view::Roles;

    fn written(plan: &Plan, facts: &RequestFacts) -> Vec<String> {
        let settings = [("strategy".to_owned(), "retry".to_owned())].into();
        let policy = Policy::compile(&WrittenPolicy::new("fib", settings)).unwrap();
        let host = |n: u8| Host::well(format!("10.0.0.{n}:80"));
        let mut view = View::default();
        view.observe(&[host(1), host(2)], &Roles::of(&policy), Millis(1));
        let mut lines = Vec::new();
        plan.write(&policy, &view, facts, &mut |name, value| {
            lines.push(value.map_or_else(|| format!("-{name}"), |value| format!("{name}: {value}")));
        });
        lines
    }

    #[test]
    fn a_plain_plan_is_two_headers() {
        let plan = Plan { order: vec![1, 0, 0], repeat: Repeat::AsPolicySays, ..Plan::default() };
        assert_eq!(
            written(&plan, &RequestFacts::default()),
            [
                "x-envoy-retriable-status-codes: 10.0.0.2:80,10.0.0.1:80,10.0.0.1:80",
                "x-envoy-retry-on: gateway-error",
            ]
        );
    }

    #[test]
    fn a_hedged_one_says_when_and_how_often() {
        let plan = Plan {
            order: vec![0, 1],
            repeat: Repeat::AsPolicySays,
            hedge_after: Some(Duration::from_micros(300)),
            max_retries: Some(1),
            ..Plan::default()
        };
        let lines = written(&plan, &RequestFacts { grpc: true, ..RequestFacts::default() });
        assert!(lines.contains(&"x-envoy-retry-grpc-on: unavailable".to_owned()));
        assert!(lines.contains(&"x-envoy-max-retries: 1".to_owned()));
        assert!(
            lines.contains(&"x-envoy-upstream-rq-per-try-timeout-ms: 1".to_owned()),
            "never 0: that is no timeout"
        );
        assert!(lines.contains(&"x-envoy-hedge-on-per-try-timeout: true".to_owned()));
    }

    #[test]
    fn a_request_that_waits_is_tried_again_only_where_a_connection_broke() {
        let plan = Plan { repeat: Repeat::WhenBroken, max_retries: Some(30), ..Plan::default() };
        assert_eq!(
            written(&plan, &RequestFacts { grpc: true, ..RequestFacts::default() }),
            ["x-envoy-retry-on: reset", "x-envoy-max-retries: 30"]
        );
    }

    #[test]
    fn a_deadline_is_told_to_envoy_as_a_span_and_to_the_function_as_a_point_in_time() {
        let deadline = Deadline::of(Some(Duration::from_secs(2)), None, Millis(5_000));
        let plan = Plan { deadline, ..Plan::default() };
        assert_eq!(
            written(&plan, &RequestFacts::default()),
            ["x-envoy-upstream-rq-timeout-ms: 2000", "x-steadfaas-deadline: 7000"]
        );
    }

    #[test]
    fn an_inherited_deadline_counts_where_it_is_earlier() {
        let of =
            |policy, inherited| Deadline::of(policy, inherited, Millis(5_000)).map(|deadline| deadline.at.0);
        let two_seconds = Some(Duration::from_secs(2));
        assert_eq!(of(two_seconds, Some(Millis(5_500))), Some(5_500));
        assert_eq!(of(two_seconds, Some(Millis(9_000))), Some(7_000));
        assert_eq!(of(None, Some(Millis(9_000))), Some(9_000));
        assert_eq!(of(None, None), None);
    }

    #[test]
    fn what_a_client_sent_is_overwritten_or_removed() {
        let all = RequestFacts { client_headers: 0xff, ..RequestFacts::default() };
        let lines = written(&Plan { order: vec![0], ..Plan::default() }, &all);
        assert_eq!(lines.first().unwrap(), "x-envoy-retriable-status-codes: 10.0.0.1:80");
        let removed: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix('-')).collect();
        assert_eq!(removed, RetryHeader::ALL[1..].iter().map(|header| header.name()).collect::<Vec<_>>());
    }
}
