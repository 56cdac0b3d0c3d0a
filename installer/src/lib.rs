//! What puts steadfaas in front of functions: EnvoyFilters for Istio, or a complete Envoy bootstrap for users of plain
//! Envoy.
//!
//! The way of a functions file, by file name: `standalone/yaml` -> `standalone/file` (validated) -> `standalone/render`
//! (Envoy's configuration, as JSON) -> `cli` (written as YAML or JSON).

pub mod access;
pub mod cli;
pub mod controller;
pub mod doctor;
pub mod drill;
mod envoy;
pub mod envoy_filter;
pub mod facts;
pub mod filter;
pub mod function;
pub mod install;
pub mod manifest;
pub mod protect;
pub mod proxy;
pub mod standalone;
pub mod status;
pub mod virtual_service;
