//! The fault matrix: strategy x fault x replicas x kind of request, as data, and what runs it on a real Envoy.
//!
//! [`table`] is what is expected, in [`words`] and with the [`steps`] that bring each fault about. [`bed`] runs its
//! cells side by side, [`judge`] holds what was seen against the table, [`report`] shows it.

pub mod bed;
pub mod cell;
pub mod expect;
pub mod judge;
pub mod members;
mod replica;
pub mod report;
mod stand;
pub mod steps;
pub mod table;
pub mod words;
