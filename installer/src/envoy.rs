//! Envoy's configuration as all ways of running it have it: how a function's replicas are used, and the filter.

pub(crate) mod health_check;
pub(crate) mod plugin;
pub(crate) mod protection;
pub(crate) mod typed;
pub(crate) mod version;
