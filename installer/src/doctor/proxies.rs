//! Do the proxies have the filter and the policies?

use steadfaas_core::envoy::EXACT_TIMERS;

use super::Finding;
use crate::facts::{Asked, Facts, Object, Subject};
use crate::proxy::{FilterState, Identity, ProtectedCluster, Report, Role};

/// The longest back-off that needn't be mentioned: ours is 1 ms, Istio's routes have 25.
const SHORT_BACK_OFF_MS: u64 = 5;

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    let mut findings: Vec<Finding> = facts.proxies.iter().flat_map(|asked| state(facts, asked)).collect();
    findings.extend(without_labels(facts));
    findings.extend(with_coarse_timers(facts));
    findings.extend(facts.subjects.iter().flat_map(|subject| patches(facts, subject)));
    findings.extend(not_asked(facts));
    findings
}

/// Filter, VM.
fn state(facts: &Facts, asked: &Asked) -> Option<Finding> {
    let proxy = &asked.proxy;
    let (object, namespace) = (format!("{} {}", proxy.role.as_str(), proxy.in_words()), &proxy.namespace);
    let report = match &asked.report {
        Ok(report) => report,
        Err(error) => {
            let says = format!("{error}; whether it protects anything is not known");
            let mend = format!("kubectl port-forward -n {namespace} {} 15000", proxy.name);
            return Some(Finding::warning("proxy-silent", object).says(says, mend));
        }
    };
    match report.filter {
        FilterState::Loaded => None,
        FilterState::Missing => Some(missing(facts, asked, object)),
        FilterState::Failed { failures } => {
            let says = format!(
                "the filter's VM doesn't run (it failed to start anew {failures} times since the proxy started)"
            );
            let mend = format!("kubectl logs -n {namespace} {} -c istio-proxy | grep wasm", proxy.name);
            Some(Finding::problem("vm-failed", object).says(says, mend))
        }
    }
}

fn missing(facts: &Facts, asked: &Asked, object: String) -> Finding {
    let installed = facts.envoy_filters.iter().any(Object::is_ours);
    let (says, mend) = if installed {
        (
            "the filter isn't loaded, though it is installed: this proxy is configured by another istiod, or refused \
             what it got",
            format!("istioctl proxy-status {}.{}", asked.proxy.name, asked.proxy.namespace),
        )
    } else {
        ("the filter isn't loaded: it isn't installed", "steadfaas install".to_owned())
    };
    Finding::problem("filter-not-loaded", object).says(says, mend)
}

/// Labels for the filter's metrics.
fn without_labels(facts: &Facts) -> Option<Finding> {
    let some = some_proxies(facts, |identity| !identity.labels_functions)?;
    let says = format!(
        "extraStatTags lack `function` and `reason`: metrics have them in their names instead of as labels, and no \
         dashboard finds them ({some})"
    );
    let mend = "kubectl edit -n istio-system configmap istio, set defaultConfig.extraStatTags: [function, reason], then \
                restart the proxies";
    Some(Finding::warning("no-metric-labels", "the mesh").says(says, mend))
}

/// Timers that hedges can rely on.
fn with_coarse_timers(facts: &Facts) -> Option<Finding> {
    let some = some_proxies(facts, |identity| !identity.exact_timers)?;
    let says = format!(
        "timers go by the kernel's ticks: the second replica starts up to 8 ms later than it could, and in vain now and \
         then ({some})"
    );
    let (variable, value) = EXACT_TIMERS;
    let mend = format!(
        "kubectl edit -n istio-system configmap istio, set defaultConfig.proxyMetadata.{variable}: \"{value}\", then \
         restart the proxies"
    );
    Some(Finding::warning("coarse-timers", "the mesh").says(says, mend))
}

/// How many of the proxies are like this, and one of them.
fn some_proxies(facts: &Facts, is_one: impl Fn(&Identity) -> bool) -> Option<String> {
    let reports = facts.proxies.iter().filter_map(|asked| Some((asked, asked.report.as_ref().ok()?)));
    let is_one = |report: &Report| report.identity.envoy.is_some() && is_one(&report.identity);
    let names: Vec<String> =
        reports.filter(|(_, report)| is_one(report)).map(|(asked, _)| asked.proxy.in_words()).collect();
    let (first, count) = (names.first()?, names.len());
    Some(format!("{count} of the proxies that were asked, such as {first}"))
}

/// What the function's clusters carry in the gateways; sidecars may be kept from knowing a Service.
fn patches(facts: &Facts, subject: &Subject) -> Vec<Finding> {
    if subject.policy().is_err() {
        return Vec::new();
    }
    let loaded = facts.proxies.iter().filter_map(|asked| {
        let report = asked.report.as_ref().ok().filter(|report| report.filter == FilterState::Loaded)?;
        (asked.proxy.role == Role::Gateway).then_some((asked, report))
    });
    loaded.filter_map(|(asked, report)| patch(facts, subject, asked, report)).collect()
}

fn patch(facts: &Facts, subject: &Subject, asked: &Asked, report: &Report) -> Option<Finding> {
    let proxy = format!("{} {}", asked.proxy.role.as_str(), asked.proxy.in_words());
    let Some(cluster) = report.clusters.iter().find(|cluster| subject.has_cluster(cluster)) else {
        let says = format!("{proxy} has no policy for it: its requests pass unprotected there");
        let mend = "kubectl logs -n steadfaas-system deployment/steadfaas-controller";
        return Some(Finding::problem("no-policy-in-proxy", subject.in_words()).says(says, mend));
    };
    if !cluster.chooses_replicas {
        let says = format!(
            "in {proxy} its cluster takes another load-balancing policy first: the filter's choice of replicas doesn't count"
        );
        let mend = "kubectl get envoyfilter -A, and leave `load_balancing_policy` to steadfaas";
        return Some(Finding::problem("choice-not-patched", subject.in_words()).says(says, mend));
    }
    back_off(facts, subject, cluster, &proxy)
}

fn back_off(facts: &Facts, subject: &Subject, cluster: &ProtectedCluster, proxy: &str) -> Option<Finding> {
    if cluster.back_off_ms.is_some_and(|back_off| back_off <= SHORT_BACK_OFF_MS) {
        return None;
    }
    let waits = cluster.back_off_ms.unwrap_or(25);
    let old = facts.istiod.version.is_some_and(|version| !version.needs().cluster_retries);
    let says = format!(
        "in {proxy} its retries wait {waits} ms instead of 1 ms: each failover and hedge is that much later"
    );
    let mend = if old { "istioctl upgrade, to 1.29 or later" } else { "steadfaas install" };
    Some(Finding::warning("back-off-not-patched", subject.in_words()).says(says, mend))
}

/// Sidecars may be many; gateways are all asked.
fn not_asked(facts: &Facts) -> Option<Finding> {
    let left_out = facts.proxies_in_all.saturating_sub(facts.proxies.len());
    let says = format!("{left_out} of {} proxies were not asked", facts.proxies_in_all);
    (left_out > 0)
        .then(|| Finding::note("proxies-left-out", "the mesh").says(says, "steadfaas doctor --all-proxies"))
}
