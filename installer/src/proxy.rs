//! The mesh's proxies: which pods they are, and what they say of themselves.

mod admin;
mod answers;
pub mod ask;
mod metrics;
mod pods;
pub(crate) mod report;

pub use admin::{Admin, AdminError};
pub use answers::read_failed;
pub use metrics::{Metrics, read_metrics};
pub(crate) use pods::is_ready;
pub use pods::{Proxy, Role};
pub use report::{FilterState, Identity, ProtectedCluster, Report};
