//! A discrete-event simulation of functions behind steadfaas: the state machines of `steadfaas-core` as the filter
//! drives them, against modelled replicas ([`replica`]) and a modelled Envoy router. Deterministic from a seed, no
//! clock, thousands of simulated seconds in one.
//!
//! What is not modelled: the proxy's own processor time, bodies, TCP beyond opening and losing connections, probes.

mod agenda;
mod chance;
pub mod load;
mod parallel;
pub mod parameters;
mod pool;
mod proxy;
pub mod replica;
mod router;
pub mod rows;
pub mod scenario;
pub mod seen;
pub mod tables;
mod world;

pub use world::run;
