//! steadfaas' proxy-wasm filter: the entry point. What it decides stands in `steadfaas-core`; here is what talks to
//! the proxy.
//!
//! By file: [`root`] (start, tick, polled answers) and [`request`] (a request comes and goes) are the callbacks;
//! [`worker`] and [`function`] are their memory; [`sharing`] and [`poll`] keep the view that all workers act on;
//! [`report`] and [`metrics`] say what happened. `steadfaas-host` makes every call to the proxy.

mod function;
mod metrics;
mod poll;
mod report;
mod request;
mod root;
mod sharing;
mod worker;

steadfaas_host::main!(root::Root::default());
