//! A plan as Envoy's router reads it: request headers.

use steadfaas_core::envoy::REPLICAS_HEADER;
use steadfaas_core::plan::Plan;
use steadfaas_core::policy::Policy;
use steadfaas_core::request::{CLIENT_HEADERS, RequestFacts};
use steadfaas_core::time::millis;
use steadfaas_core::view::View;

use crate::host;

/// Writes `plan` into the current request's headers, over whatever a client had sent.
pub(crate) fn write(plan: &Plan, policy: &Policy, view: &View, facts: &RequestFacts) {
    let mut written = Written { facts, headers: 0 };
    if !plan.order.is_empty() {
        written.set(REPLICAS_HEADER, &addresses(plan, view));
    }
    if plan.may_repeat {
        written.set("x-envoy-retry-on", &policy.retry_on.http);
        if facts.grpc && !policy.retry_on.grpc.is_empty() {
            written.set("x-envoy-retry-grpc-on", &policy.retry_on.grpc);
        }
    }
    if let Some(retries) = plan.max_retries {
        written.set("x-envoy-max-retries", &retries.to_string());
    }
    if let Some(delay) = plan.hedge_after {
        written.set("x-envoy-upstream-rq-per-try-timeout-ms", &millis(delay).max(1).to_string());
        written.set("x-envoy-hedge-on-per-try-timeout", "true");
    }
    written.remove_the_others();
}

/// Removes the header that chooses replicas from a request that gets no plan.
pub(crate) fn strip(facts: &RequestFacts) {
    if facts.client_sent(0) {
        host::remove_request_header(REPLICAS_HEADER);
    }
}

/// The headers that were written, as bits in the order of [`CLIENT_HEADERS`].
struct Written<'a> {
    facts: &'a RequestFacts,
    headers: u8,
}

impl Written<'_> {
    fn set(&mut self, name: &str, value: &str) {
        host::set_request_header(name, value);
        if let Some(place) = CLIENT_HEADERS.iter().position(|header| *header == name) {
            self.headers |= 1 << place;
        }
    }

    /// What a client had sent and the plan doesn't say.
    fn remove_the_others(&self) {
        if self.facts.client_headers & !self.headers == 0 {
            return;
        }
        for (place, header) in CLIENT_HEADERS.iter().enumerate() {
            if self.facts.client_sent(place) && self.headers & (1 << place) == 0 {
                host::remove_request_header(header);
            }
        }
    }
}

fn addresses(plan: &Plan, view: &View) -> String {
    let mut list = String::new();
    for replica in plan.order.iter().filter_map(|place| view.replicas.get(*place)) {
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(&replica.address);
    }
    list
}
