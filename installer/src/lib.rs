//! What puts steadfaas in front of functions: EnvoyFilters for Istio, or a complete Envoy bootstrap for users of plain
//! Envoy.
//!
//! The way of a functions file, by file name: `standalone/yaml` -> `standalone/file` (validated) -> `standalone/render`
//! (Envoy's configuration, as JSON) -> `cli` (written as YAML or JSON).

pub mod cli;
pub mod controller;
mod envoy;
pub mod envoy_filter;
pub mod filter;
pub mod function;
pub mod standalone;
