//! steadfaas from end to end: what is shipped, run on several hosts as its users run it.
//!
//! A scenario is a folder with a README that says what is set up and what must be seen, a file here and a test.

pub mod annotated;
pub mod bare_functions;
pub mod behind_gateway;
pub mod caller;
pub mod catch_up;
pub mod cluster;
pub mod commands;
pub mod envoy_filter;
pub mod guestbook;
pub mod knative_service;
pub mod many_functions;
pub mod net_istio_stand_in;
pub mod node_loss;
pub mod openfaas_function;
pub mod openfaas_gateway;
mod patience;
pub mod scenario;
pub mod shipped;
pub mod sidecar_caller;
pub mod standby_service;
