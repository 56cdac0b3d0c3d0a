//! EnvoyFilters: one that puts the filter into all proxies, and a small one for each function, whose policy it carries.
//!
//! All of them are in istiod's root namespace, for it reads no other for gateways.

mod extension;
mod istio_version;
mod of_function;
mod patch;

use kube::discovery::ApiResource;

pub use extension::{Extension, extension};
pub use istio_version::{IstioVersion, Needs};
pub(crate) use of_function::{OWNER_NAMESPACE, goes_with, name_of};
pub use of_function::{OfFunction, POLICY, name, owner_namespace};
pub use patch::Contexts;

/// The label by which Istio's objects of ours are told from everybody else's, and from each other.
pub const PART: &str = "steadfaas.dev/part";

/// The [`PART`] that the filter itself is.
pub const PART_EXTENSION: &str = "extension";

/// The [`PART`] that a function's policy is.
pub const PART_FUNCTION: &str = "function";

/// Where most installations of Istio have their root namespace.
pub const DEFAULT_ROOT_NAMESPACE: &str = "istio-system";

/// The kind `EnvoyFilter`.
#[must_use]
pub fn resource() -> ApiResource {
    ApiResource {
        group: "networking.istio.io".to_owned(),
        version: "v1alpha3".to_owned(),
        api_version: "networking.istio.io/v1alpha3".to_owned(),
        kind: "EnvoyFilter".to_owned(),
        plural: "envoyfilters".to_owned(),
    }
}
