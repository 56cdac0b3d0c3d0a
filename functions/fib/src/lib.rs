//! The sample function: `GET /?n=15` answers the 15th Fibonacci number, computed anew each time.
//!
//! It is an ordinary HTTP server that knows nothing of steadfaas. What it has beyond that serves tests and benchmarks:
//! it counts what it runs ([`stats`]), and can be told to misbehave ([`fault`]).

pub mod compute;
pub mod fault;
pub mod function;
pub mod random;
pub mod service_time;
pub mod stats;
