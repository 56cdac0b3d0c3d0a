//! steadfaas' decisions, apart from any proxy: what a policy means, which replicas are well, what one request's
//! plan is, and what its outcome teaches. No host call, no clock and no randomness of its own: `now` is an argument.
//!
//! The life of a request, by file: [`policy`] (written -> compiled) and [`admin`] -> [`view`] (who is there, who is
//! well, who is active), [`request`] (may it run twice?), [`strategy`] -> [`plan`], then [`outcome`] -> [`view`] again.

#[macro_use]
pub mod tuning;

pub mod admin;
pub mod budget;
pub mod configuration;
pub mod directory;
pub mod envoy;
pub mod fnv;
pub mod gray;
pub mod headers;
pub mod lane;
pub mod lease;
pub mod memory;
mod order;
pub mod outcome;
pub mod pace;
pub mod plan;
pub mod policy;
pub mod request;
pub mod sight;
pub mod speed;
pub mod strategy;
pub mod ticks;
pub mod time;
pub mod timer;
pub mod view;
