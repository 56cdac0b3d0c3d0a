//! A plan as Envoy's router reads it: request headers.

use super::Plan;
use crate::envoy::REPLICAS_HEADER;
use crate::policy::Policy;
use crate::request::{CLIENT_HEADERS, RequestFacts};
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
        let mut set = |name: &'static str, value: &str| {
            if let Some(place) = CLIENT_HEADERS.iter().position(|header| *header == name) {
                written |= 1 << place;
            }
            write(name, Some(value));
        };
        if !self.order.is_empty() {
            set(REPLICAS_HEADER, &self.addresses(view));
        }
        if self.may_repeat {
            set("x-envoy-retry-on", &policy.retry_on.http);
            if facts.grpc && !policy.retry_on.grpc.is_empty() {
                set("x-envoy-retry-grpc-on", &policy.retry_on.grpc);
            }
        }
        if let Some(retries) = self.max_retries {
            set("x-envoy-max-retries", &retries.to_string());
        }
        if let Some(delay) = self.hedge_after {
            set("x-envoy-upstream-rq-per-try-timeout-ms", &millis(delay).max(1).to_string());
            set("x-envoy-hedge-on-per-try-timeout", "true");
        }
        if facts.client_headers & !written != 0 {
            for (place, header) in CLIENT_HEADERS.into_iter().enumerate() {
                if facts.client_sent(place) && written & (1 << place) == 0 {
                    write(header, None);
                }
            }
        }
    }

    fn addresses(&self, view: &View) -> String {
        let mut list = String::new();
        for replica in self.order.iter().filter_map(|place| view.replicas.get(*place)) {
            if !list.is_empty() {
                list.push(',');
            }
            list.push_str(&replica.address);
        }
        list
    }
}
