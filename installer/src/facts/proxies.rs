//! Which proxies are asked, and what they say.

use std::time::Duration;

use super::Asked;
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

/// What they say, and what their filters had counted a while before where they are to be asked twice.
pub(super) async fn ask(access: &Access, proxies: Vec<Proxy>, twice: Option<Duration>) -> Vec<Asked> {
    let mut before = Vec::new();
    if let Some(apart) = twice {
        before = ask::counts(access, &proxies).await;
        tokio::time::sleep(apart).await;
    }
    let reports = ask::all(access, &proxies).await;
    let mut before = before.into_iter().map(Result::unwrap_or_default);
    let answered = proxies.into_iter().zip(reports);
    answered
        .map(|(proxy, report)| Asked {
            proxy,
            report: report.map_err(|error| error.reason),
            before: before.next().unwrap_or_default(),
        })
        .collect()
}
