//! Asks proxies how they are, many at once.

use std::time::Duration;

use super::super::Asked;
use crate::access::Access;
use crate::proxy::{Proxy, Role, ask};

/// How many sidecars are asked beside the gateways: those tell whether sidecars work at all.
const SIDECARS: usize = 20;

/// Gateways first; of the sidecars the first few, unless all are wanted.
pub(super) fn choose(proxies: &mut Vec<Proxy>, all: bool) {
    proxies.sort_by(|one, other| {
        (one.role, &one.namespace, &one.name).cmp(&(other.role, &other.namespace, &other.name))
    });
    if !all {
        let gateways = proxies.iter().filter(|proxy| proxy.role == Role::Gateway).count();
        proxies.truncate(gateways + SIDECARS);
    }
}

/// What they say, and what their filters had counted a while before.
pub(super) async fn ask_twice(access: &Access, proxies: Vec<Proxy>, apart: Duration) -> Vec<Asked> {
    let before = ask::counts(access, &proxies).await;
    tokio::time::sleep(apart).await;
    let reports = ask::all(access, &proxies).await;
    let both = proxies.into_iter().zip(before).zip(reports);
    both.map(|((proxy, before), report)| Asked {
        proxy,
        report: report.map_err(|error| error.to_string()),
        before: before.unwrap_or_default(),
    })
    .collect()
}
