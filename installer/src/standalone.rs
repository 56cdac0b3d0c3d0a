//! `steadfaas standalone`: a functions file in, a complete Envoy bootstrap out.

mod access_log;
mod cluster;
mod error;
mod file;
mod function;
mod host;
mod listener;
mod local_reply;
mod options;
mod render;
mod replicas;
mod route;
mod yaml;

pub use crate::envoy::version::{EnvoyVersion, VersionError};
pub use error::{FileError, Problem};
pub use file::FunctionsFile;
pub use function::{Function, Protocol};
pub(crate) use options::{DEFAULT_ADMIN, DEFAULT_LISTEN};
pub use options::{Module, Options};
pub use render::{RenderError, render};
pub use replicas::{NamedReplica, Replicas};
