//! The test bed: real Envoys, replicas of a function, an open-loop load, faults, and what each request got.
//!
//! One file a thing: [`envoy`] and [`fib`] start and stop processes (both a [`process`]), [`netns`] gives replicas
//! hosts of their own, [`load`] sends, [`record`] tells what the clients saw.

pub mod envoy;
pub mod fib;
pub mod http;
pub mod load;
pub mod ports;
pub mod process;
pub mod record;
