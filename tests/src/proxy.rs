//! The proxies that are compared: steadfaas with a policy, and its peers. Each is started in front of given replicas.

mod choice;
mod start;

pub use choice::{Choice, UnknownProxy};
pub(crate) use start::functions_file;
pub use start::{Proxy, Setting};
