//! A function that only computes: `GET /?n=1000` answers the 1000th prime number, found anew each time.
//!
//! It stands for functions that are bound by the processor: nothing is waited for, all of a run's time is work, and
//! replicas on one machine slow each other down. What a function's author may take from it: compute beside the thread
//! that serves, so that probes are answered meanwhile, and begin nothing whose deadline has passed.

pub mod compute;
pub mod function;
