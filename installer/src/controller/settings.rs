//! What the controller is started with.

use std::net::SocketAddr;

use crate::envoy_filter::{Contexts, IstioVersion};

/// What the controller is started with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where istiod reads EnvoyFilters for all proxies.
    pub root_namespace: String,
    /// The controller's own: its Lease and its limits are there.
    pub namespace: String,
    /// The name by which it holds the Lease: its pod's.
    pub identity: String,
    /// The cluster's DNS domain.
    pub domain: String,
    /// The oldest Istio that reads the EnvoyFilters.
    pub istio: IstioVersion,
    /// Which proxies protect functions.
    pub contexts: Contexts,
    /// Where metrics and health are asked for.
    pub listen: SocketAddr,
}
