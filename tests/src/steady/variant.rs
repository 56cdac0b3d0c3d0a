//! The proxies that are compared: all have the bootstrap that steadfaas renders, but for the filter.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use super::PROXY_CORE;
use crate::bootstrap::Bootstrap;
use crate::envoy::{Envoy, Launch, newest};
use crate::proxy::{Choice, functions_file};

/// What stands in the filter's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variant {
    /// Nothing.
    Plain,
    /// The stock filter that does next to nothing, as the SDK builds it: nothing is kept from it.
    Noop,
    /// steadfaas, with a function's annotations.
    Steadfaas(Vec<(String, String)>),
}

impl fmt::Display for Variant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => out.write_str("envoy"),
            Self::Noop => out.write_str("stock no-op wasm filter"),
            Self::Steadfaas(annotations) => Choice::Steadfaas(annotations.clone()).fmt(out),
        }
    }
}

/// A variant under way.
pub(super) struct Running {
    name: String,
    envoy: Envoy,
    address: SocketAddr,
}

impl Running {
    /// `noop`: the stock filter's module.
    pub(super) async fn start(
        variant: &Variant,
        noop: &Path,
        replicas: &[SocketAddr],
    ) -> anyhow::Result<Self> {
        let bootstrap = variant.bootstrap(noop, replicas)?;
        Self::of(variant.to_string(), bootstrap).await
    }

    /// A proxy with this bootstrap.
    pub(super) async fn of(name: String, mut bootstrap: Bootstrap) -> anyhow::Result<Self> {
        // It costs the same in each, and nothing here is to be read.
        let manager = bootstrap.connection_manager()?.as_object_mut();
        manager.context("the connection manager is no object")?.remove("access_log");
        let mut launch = Launch::new(newest()?, bootstrap.admin).exact_timers(true);
        launch.core = Some(PROXY_CORE);
        let envoy = launch.start(&bootstrap.config).await?;
        Ok(Self { name, envoy, address: bootstrap.listen })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn cpu_time(&self) -> Duration {
        self.envoy.process().cpu_time()
    }
}

impl Variant {
    fn bootstrap(&self, noop: &Path, replicas: &[SocketAddr]) -> anyhow::Result<Bootstrap> {
        let standby = vec![("strategy".to_owned(), "active-standby".to_owned())];
        let annotations = if let Self::Steadfaas(annotations) = self { annotations } else { &standby };
        let mut bootstrap = Bootstrap::render(&functions_file(annotations, replicas), xtask::envoy::NEWEST)?;
        match self {
            Self::Steadfaas(_) => {}
            Self::Plain => replace_filter(&mut bootstrap, None)?,
            Self::Noop => replace_filter(&mut bootstrap, Some(noop_filter(noop)))?,
        }
        Ok(bootstrap)
    }
}

/// steadfaas is the first filter, the router the last.
pub(super) fn replace_filter(bootstrap: &mut Bootstrap, other: Option<Value>) -> anyhow::Result<()> {
    let filters = bootstrap.connection_manager()?.pointer_mut("/http_filters").and_then(Value::as_array_mut);
    let filters =
        filters.filter(|filters| filters.len() == 2).context("the bootstrap has other filters than two")?;
    filters.splice(..1, other);
    Ok(())
}

fn noop_filter(module: &Path) -> Value {
    let vm =
        json!({"vm_id": "noop", "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": module}}});
    json!({
        "name": "noop",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {"name": "noop", "root_id": "noop", "vm_config": vm},
        },
    })
}
