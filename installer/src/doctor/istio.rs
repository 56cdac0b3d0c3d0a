//! Is there an Istio that can do it?

use super::Finding;
use crate::envoy_filter::IstioVersion;
use crate::facts::{Asked, Facts};
use crate::function::Platform;

const UPGRADE: &str = "istioctl upgrade, to 1.29 or later";

/// istiod leaves clusters that no VirtualService names out of gateways.
const FILTERS_CLUSTERS: &str = "PILOT_FILTER_GATEWAY_CLUSTER_CONFIG";

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    if !facts.has_envoy_filters {
        let says = "the cluster doesn't know EnvoyFilter: Istio isn't installed, or only parts of it";
        return vec![Finding::problem("no-envoyfilter", "the cluster").says(says, "istioctl install")];
    }
    let mut findings = Vec::new();
    findings.extend(control_plane(facts));
    findings.extend(facts.proxies.iter().filter_map(proxy));
    findings.extend(hidden_clusters(facts));
    findings
}

fn control_plane(facts: &Facts) -> Option<Finding> {
    let version = facts.istiod.version?;
    if version < IstioVersion::OLDEST {
        let says = format!(
            "Istio {version} is too old: its proxies can't be told which replica to take (from 1.27 on)"
        );
        return Some(Finding::problem("istio-too-old", "Istio").says(says, UPGRADE));
    }
    let says = format!("Istio {version} isn't supported: {} and later are", IstioVersion::SUPPORTED);
    (version < IstioVersion::SUPPORTED)
        .then(|| Finding::warning("istio-unsupported", "Istio").says(says, UPGRADE))
}

/// Proxies may be older than their istiod.
fn proxy(asked: &Asked) -> Option<Finding> {
    let identity = &asked.report.as_ref().ok()?.identity;
    if identity.chooses_replicas || identity.envoy.is_none() {
        return None;
    }
    let version = identity.istio.clone().or(identity.envoy.clone()).unwrap_or_default();
    let says =
        format!("this proxy ({version}) can't be told which replica to take: Istio's can from 1.27 on");
    let object = format!("{} {}", asked.proxy.role.as_str(), asked.proxy.in_words());
    let mend = format!(
        "kubectl delete pod -n {} {}, once Istio is upgraded",
        asked.proxy.namespace, asked.proxy.name
    );
    Some(Finding::problem("proxy-too-old", object).says(says, mend))
}

fn hidden_clusters(facts: &Facts) -> Option<Finding> {
    let on = facts.istiod.variables.get(FILTERS_CLUSTERS).is_some_and(|value| value == "true");
    let knative = facts.subjects.iter().any(|subject| subject.function.platform == Platform::Knative);
    let says = format!(
        "{FILTERS_CLUSTERS} is true: gateways get no cluster that no VirtualService names, and none names Knative's \
         Services <revision>-private, whose pods are called past the activator"
    );
    let mend = format!("kubectl set env -n istio-system deployment/istiod {FILTERS_CLUSTERS}=false");
    (on && knative).then(|| Finding::warning("private-clusters-hidden", "istiod").says(says, mend))
}
