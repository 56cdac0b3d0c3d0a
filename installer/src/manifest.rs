//! Every object of an installation: what `steadfaas render` prints and `steadfaas install` applies.

mod access;
mod controller;
mod objects;

pub use objects::{Options, objects};

/// The namespace of the controller.
pub const NAMESPACE: &str = "steadfaas-system";

/// What the controller's objects are called.
pub const CONTROLLER: &str = "steadfaas-controller";

/// The label by which all objects of an installation are found.
pub const PART_OF: (&str, &str) = ("app.kubernetes.io/part-of", "steadfaas");

/// The image of the controller where none is named.
pub const DEFAULT_IMAGE: &str = concat!("ghcr.io/steadfaas/steadfaas:", env!("CARGO_PKG_VERSION"));
