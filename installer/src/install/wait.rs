//! Waits until the proxies do as they were told.

use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;

use super::InstallError;
use crate::access::{Access, ClusterError};
use crate::manifest::{CONTROLLER, NAMESPACE};
use crate::proxy::{FilterState, Proxy, Report, Role, ask};

/// How often proxies are asked.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// What proxies are to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// They have the filter, and its VM runs.
    Filter,
    /// No cluster has a policy.
    NoPolicies,
    /// They don't have the filter.
    NoFilter,
}

impl Wanted {
    /// Whether each of the proxies is like that.
    async fn holds(self, access: &Access, proxies: &[Proxy]) -> Vec<bool> {
        let by_report = |holds: fn(&Report) -> bool| async move {
            let reports = ask::all(access, proxies).await;
            reports.iter().map(|report| report.as_ref().is_ok_and(holds)).collect()
        };
        match self {
            Self::Filter => by_report(|report| report.filter == FilterState::Loaded).await,
            Self::NoPolicies => by_report(|report| report.clusters.is_empty()).await,
            Self::NoFilter => {
                let listeners = ask::listeners(access, proxies).await;
                listeners.iter().map(|has| has.as_ref().is_ok_and(|has| !has)).collect()
            }
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Filter => "don't have the filter",
            Self::NoPolicies => "have policies still",
            Self::NoFilter => "have the filter still",
        }
    }
}

/// Waits for the gateways: sidecars get the same at the same time, and may be thousands. Says how many there are.
///
/// # Errors
/// They aren't like that in time, or the API server refuses.
pub async fn wait(access: &Access, wanted: Wanted, patience: Duration) -> Result<usize, InstallError> {
    let began = Instant::now();
    loop {
        let gateways = gateways(access).await?;
        let holds = wanted.holds(access, &gateways).await;
        let lacking = gateways.iter().zip(holds).filter(|(_, holds)| !holds);
        let lacking: Vec<String> = lacking.map(|(proxy, _)| proxy.in_words()).collect();
        if lacking.is_empty() {
            return Ok(gateways.len());
        }
        if began.elapsed() > patience {
            let what = format!("{} {}", lacking.join(", "), wanted.in_words());
            return Err(InstallError::Waited { seconds: patience.as_secs(), what });
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// Waits until one of the controller's pods is ready: then functions that are annotated get what they need.
///
/// # Errors
/// None is in time, or the API server refuses.
pub async fn wait_for_controller(access: &Access, patience: Duration) -> Result<(), InstallError> {
    let began = Instant::now();
    let deployments: Api<Deployment> = Api::namespaced(access.client.clone(), NAMESPACE);
    while began.elapsed() < patience {
        let deployment = deployments.get_status(CONTROLLER).await;
        let deployment = deployment.map_err(ClusterError::refused("reading the controller's Deployment"))?;
        if deployment.status.and_then(|status| status.available_replicas).unwrap_or(0) > 0 {
            return Ok(());
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    let what = format!("no pod of the controller is ready (`kubectl describe pods -n {NAMESPACE}` says why)");
    Err(InstallError::Waited { seconds: patience.as_secs(), what })
}

async fn gateways(access: &Access) -> Result<Vec<Proxy>, ClusterError> {
    let pods: Api<Pod> = Api::all(access.client.clone());
    let pods = pods.list(&ListParams::default()).await.map_err(ClusterError::refused("reading pods"))?;
    let proxies = pods.items.iter().filter_map(Proxy::of);
    Ok(proxies.filter(|proxy| proxy.role == Role::Gateway && proxy.ready).collect())
}
