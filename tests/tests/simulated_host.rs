//! The built module in a simulated proxy: what it does with every call that a proxy makes, and with every answer.
//!
//! The proxy is [`proxy`](simulated_host::proxy), its workers are [`worker`](simulated_host::worker)s with a
//! [`vm`](simulated_host::vm) each, and [`imports`](simulated_host::imports) are the functions that the module calls.

#[cfg(test)]
mod simulated_host {
    mod clusters;
    mod exchange;
    mod function;
    mod imports;
    mod module;
    mod proxy;
    mod stream;
    mod vm;
    mod worker;

    mod attempts;
    mod clients;
    mod configuration;
    mod in_flight;
    mod learning;
    mod metrics;
    mod passing;
    mod plans;
    mod policies;
    mod polls;
    mod records;
    mod refusals;
    mod suspicion;
}
