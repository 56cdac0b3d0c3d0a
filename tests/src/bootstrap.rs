//! A rendered bootstrap, and what tests change in it to bring about what it would never say by itself.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};
use steadfaas::standalone::{FunctionsFile, Module, Options, render};
use steadfaas_core::envoy::{ADMIN_CLUSTER, METADATA_NAMESPACE, METADATA_POLICY};

use crate::envoy::{Envoy, Launch};
use crate::ports;

/// A bootstrap as the installer renders it, with the addresses that it was rendered for.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// The bootstrap.
    pub config: Value,
    /// Where clients go.
    pub listen: SocketAddr,
    /// Where the admin endpoint is.
    pub admin: SocketAddr,
}

impl Bootstrap {
    /// Renders `functions`, a functions file, for Envoy `version`.
    ///
    /// # Errors
    /// The file is wrong.
    pub fn render(functions: &str, version: &str) -> anyhow::Result<Self> {
        Self::with_module(functions, version, Module::Shipped)
    }

    /// The same with another module than the shipped one.
    ///
    /// # Errors
    /// The file is wrong, or the module can't be read.
    pub fn with_module(functions: &str, version: &str, module: Module) -> anyhow::Result<Self> {
        let (listen, admin) = (ports::free_address(), ports::free_address());
        let file = FunctionsFile::parse(functions, "functions.yaml")?;
        let options =
            Options { listen, admin, envoy_version: version.parse()?, module, ..Options::default() };
        Ok(Self { config: render(&file, &options)?, listen, admin })
    }

    /// Starts the Envoy at `binary` with it.
    ///
    /// # Errors
    /// It doesn't come up.
    pub async fn start(&self, binary: &Path, workers: u32) -> anyhow::Result<Envoy> {
        Launch::new(binary, self.admin).workers(workers).start(&self.config).await
    }

    /// The cluster of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn cluster(&mut self, name: &str) -> anyhow::Result<&mut Value> {
        let clusters = self.config.pointer_mut("/static_resources/clusters").and_then(Value::as_array_mut);
        let found = clusters.and_then(|all| all.iter_mut().find(|cluster| cluster["name"] == name));
        found.with_context(|| format!("the bootstrap has no cluster {name}"))
    }

    /// The listener for clients.
    ///
    /// # Errors
    /// There is none.
    pub fn listener(&mut self) -> anyhow::Result<&mut Value> {
        self.config.pointer_mut("/static_resources/listeners/0").context("the bootstrap has no listener")
    }

    /// The configuration of the HTTP connection manager.
    ///
    /// # Errors
    /// There is none.
    pub fn connection_manager(&mut self) -> anyhow::Result<&mut Value> {
        let manager = self.listener()?.pointer_mut("/filter_chains/0/filters/0/typed_config");
        manager.context("the listener has no connection manager")
    }

    /// Replaces the policy text of a function; `None` takes it away.
    ///
    /// # Errors
    /// There is no such function.
    pub fn set_policy(&mut self, function: &str, text: Option<&str>) -> anyhow::Result<()> {
        let metadata =
            text.map(|text| json!({"filter_metadata": {METADATA_NAMESPACE: {METADATA_POLICY: text}}}));
        set(self.cluster(function)?, "metadata", metadata.unwrap_or_default())
    }

    /// Lets the function's members come from a file that [`write`](crate::matrix::members::write) replaces.
    ///
    /// # Errors
    /// There is no such function.
    pub fn take_members_from(&mut self, function: &str, file: &Path) -> anyhow::Result<()> {
        let source = watched(file)?;
        self.say_who_asks()?;
        let cluster = self.cluster(function)?;
        set(cluster, "type", json!("EDS"))?;
        set(cluster, "load_assignment", Value::Null)?;
        set(cluster, "eds_cluster_config", json!({"eds_config": source}))
    }

    /// Lets the cluster eject hosts as eagerly as anybody could ask for.
    ///
    /// # Errors
    /// There is no such function.
    pub fn eject_eagerly(&mut self, function: &str) -> anyhow::Result<()> {
        let detection = json!({
            "consecutive_5xx": 1,
            "enforcing_consecutive_5xx": 100,
            "consecutive_gateway_failure": 1,
            "enforcing_consecutive_gateway_failure": 100,
            "interval": "0.1s",
            "base_ejection_time": "30s",
            "max_ejection_percent": 100,
        });
        set(self.cluster(function)?, "outlier_detection", detection)
    }

    /// Lets Envoy take clients for internal ones, whose `x-envoy-*` headers it leaves alone.
    ///
    /// # Errors
    /// There is no connection manager.
    pub fn trust_clients(&mut self) -> anyhow::Result<()> {
        let loopback = json!({"cidr_ranges": [{"address_prefix": "127.0.0.0", "prefix_len": 8}]});
        set(self.connection_manager()?, "internal_address_config", loopback)
    }

    /// Lets the filter ask `address` instead of the admin endpoint.
    ///
    /// # Errors
    /// There is no cluster for it.
    pub fn ask_instead_of_admin(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        let endpoint = self
            .cluster(ADMIN_CLUSTER)?
            .pointer_mut("/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address");
        let (ip, port) = (address.ip().to_string(), address.port());
        *endpoint.context("the admin cluster has no endpoint")? = json!({"address": ip, "port_value": port});
        Ok(())
    }

    /// Moves the listener to a file that Envoy watches, so that a test can replace it. Returns what stands in it.
    ///
    /// # Errors
    /// There is no listener, or the file can't be written.
    pub fn take_listener_from(&mut self, file: &Path) -> anyhow::Result<Value> {
        let mut listener = self.listener()?.take();
        set(&mut listener, "@type", json!("type.googleapis.com/envoy.config.listener.v3.Listener"))?;
        let resources = self.config.pointer_mut("/static_resources").context("no static resources")?;
        set(resources, "listeners", json!([]))?;
        set(&mut self.config, "dynamic_resources", json!({"lds_config": watched(file)?}))?;
        self.say_who_asks()?;
        write_listener(file, &listener)?;
        Ok(listener)
    }

    /// Discovery, even from files, wants a name for this Envoy.
    fn say_who_asks(&mut self) -> anyhow::Result<()> {
        set(&mut self.config, "node", json!({"id": "test", "cluster": "test"}))
    }
}

/// Sets a field of an object; `null` is what Envoy takes for a field that isn't there.
fn set(object: &mut Value, field: &str, value: Value) -> anyhow::Result<()> {
    object
        .as_object_mut()
        .with_context(|| format!("{field}: no object to put it in"))?
        .insert(field.to_owned(), value);
    Ok(())
}

/// A source of configuration in a file whose folder Envoy watches for renames.
fn watched(file: &Path) -> anyhow::Result<Value> {
    let folder = file.parent().context("the file is in no folder")?;
    let path = json!({"path": file, "watched_directory": {"path": folder}});
    Ok(json!({"resource_api_version": "V3", "path_config_source": path}))
}

/// Replaces the listener in a file that Envoy watches.
///
/// # Errors
/// It can't be written.
pub fn write_listener(file: &Path, listener: &Value) -> anyhow::Result<()> {
    let next = file.with_extension("next");
    std::fs::write(&next, serde_json::to_string(&json!({"resources": [listener]}))?)?;
    std::fs::rename(&next, file)?;
    Ok(())
}
