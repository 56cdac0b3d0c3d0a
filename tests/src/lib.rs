//! The test bed: real Envoys, replicas of a function, an open-loop load, faults, and what each request got.
//!
//! One file a thing: [`envoy`] and [`fib`] start and stop processes (both a [`process`]), [`netns`] gives replicas
//! hosts of their own, [`load`] sends, [`record`] tells what the clients saw. A [`guestbook`] keeps what it is sent in a
//! real [`redis`].
//! A [`scripted`] replica shows faults on demand; a [`deployment`] is a function of several processes. The [`matrix`] has its cells as data; single tests play on a [`stage`]
//! with a [`client`] that looks closely, in front of a [`bootstrap`] that they may change. What is bad while the machine
//! [`pauses`] is run again.
//! A [`trial`] compares a [`proxy`] with its [`peers`] under a fault, [`steady`] while all is well; [`goals`] say what is
//! to be reached, a [`page`] shows it.

pub mod bootstrap;
pub mod client;
pub mod deployment;
pub mod envoy;
pub mod fib;
pub mod goals;
pub mod guestbook;
pub mod http;
pub mod load;
pub mod machine;
pub mod matrix;
pub mod median;
pub mod metrics;
pub mod netns;
pub mod page;
pub mod pauses;
pub mod peers;
pub mod ports;
pub mod process;
pub mod programs;
pub mod prometheus;
pub mod proxy;
pub mod record;
pub mod redis;
pub mod scripted;
pub mod stage;
pub mod steady;
pub mod trial;
