//! `steadfaas install` and `uninstall`: puts what `render` prints into a cluster, and takes all of it away again.

mod objects;
mod remove;
mod wait;

use thiserror::Error;

use crate::access::ClusterError;
pub use objects::{Item, apply};
pub use remove::remove;
pub use wait::{Wanted, wait, wait_for_controller};

/// Whose fields these are, in `metadata.managedFields`.
pub const MANAGER: &str = "steadfaas-install";

/// Why an installation isn't what was asked for.
#[derive(Debug, Error)]
pub enum InstallError {
    /// An object that can't be applied.
    #[error("{0}")]
    Object(String),
    /// Proxies don't do as they are told.
    #[error("after {seconds} s {what}; `steadfaas doctor` may say why")]
    Waited {
        /// For how long they were asked.
        seconds: u64,
        /// What they lack still, or have still.
        what: String,
    },
    /// The API server refuses.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}
