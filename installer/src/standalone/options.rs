//! What a bootstrap depends on beside the functions.

use std::borrow::Cow;
use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;

use steadfaas_core::envoy::EXACT_TIMERS;

use super::{EnvoyVersion, RenderError};
use crate::filter;

/// Where clients are awaited by default: on every interface, for functions are there to be called.
pub(crate) const DEFAULT_LISTEN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 8080));

/// Where the admin endpoint is by default: on loopback, for whoever reaches it can stop Envoy. 9901 is the port that
/// Envoy's own examples use.
pub(crate) const DEFAULT_ADMIN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9901));

/// What a bootstrap depends on beside the functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Where clients are awaited.
    pub listen: SocketAddr,
    /// Where Envoy's admin endpoint is; the filter reads there how the replicas are.
    pub admin: SocketAddr,
    /// The Envoy that reads the bootstrap; later ones take it too.
    pub envoy_version: EnvoyVersion,
    /// How many workers Envoy is to be started with; `None` is one for each core. Not a part of any bootstrap, only
    /// of [`Options::command`].
    pub concurrency: Option<u32>,
    /// Answers get a header that says what steadfaas did.
    pub response_header: bool,
    /// The filter.
    pub module: Module,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: DEFAULT_LISTEN,
            admin: DEFAULT_ADMIN,
            envoy_version: EnvoyVersion::OLDEST,
            concurrency: None,
            response_header: false,
            module: Module::Shipped,
        }
    }
}

impl Options {
    /// The command that starts Envoy with the bootstrap of that name, and with exact timers.
    #[must_use]
    pub fn command(&self, bootstrap: &str) -> String {
        let (variable, value) = EXACT_TIMERS;
        let mut command = format!("{variable}={value} envoy -c {bootstrap}");
        if let Some(workers) = self.concurrency {
            // Writing to a string can't fail.
            let _ = write!(command, " --concurrency {workers}");
        }
        command
    }
}

/// The filter's module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Module {
    /// The one inside this program.
    Shipped,
    /// One in memory.
    Bytes(Vec<u8>),
    /// One in a file.
    File(PathBuf),
}

/// How every WebAssembly module begins.
const MAGIC: &[u8] = b"\0asm";

impl Module {
    pub(super) fn bytes(&self) -> Result<Cow<'_, [u8]>, RenderError> {
        let bytes = match self {
            Self::Shipped => Cow::Borrowed(filter::MODULE),
            Self::Bytes(bytes) => Cow::Borrowed(bytes.as_slice()),
            Self::File(path) => fs::read(path)
                .map(Cow::Owned)
                .map_err(|source| RenderError::ModuleUnreadable { path: path.clone(), source })?,
        };
        if bytes.starts_with(MAGIC) { Ok(bytes) } else { Err(RenderError::NoModule) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_the_workers_only_where_they_were_asked_for() {
        let options = Options { concurrency: Some(2), ..Options::default() };
        assert_eq!(
            options.command("envoy.yaml"),
            "EVENT_PRECISE_TIMER=1 envoy -c envoy.yaml --concurrency 2"
        );
        assert_eq!(Options::default().command("envoy.yaml"), "EVENT_PRECISE_TIMER=1 envoy -c envoy.yaml");
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(matches!(Module::Bytes(b"<html>".to_vec()).bytes(), Err(RenderError::NoModule)));
    }

    #[test]
    fn a_missing_module_is_named() {
        let error = Module::File("/nowhere/filter.wasm".into()).bytes().unwrap_err();
        assert_eq!(error.to_string(), "the filter's module /nowhere/filter.wasm can't be read");
    }
}
