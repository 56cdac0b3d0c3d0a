//! The members of a cluster in a file that Envoy watches (EDS from the file system).

use std::net::SocketAddr;
use std::path::Path;

use serde_json::json;

/// Makes `addresses` the members of `cluster`. The file is replaced at once (by rename), which is what Envoy watches
/// for; a reader never sees half of it.
///
/// # Errors
/// It can't be written.
pub fn write(file: &Path, cluster: &str, addresses: &[SocketAddr]) -> anyhow::Result<()> {
    let endpoint = |address: &SocketAddr| {
        let address = json!({"address": address.ip().to_string(), "port_value": address.port()});
        json!({"endpoint": {"address": {"socket_address": address}}})
    };
    let endpoints: Vec<_> = addresses.iter().map(endpoint).collect();
    let discovery = json!({
        "resources": [{
            "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
            "cluster_name": cluster,
            "endpoints": [{"lb_endpoints": endpoints}],
        }],
    });
    let next = file.with_extension("next");
    std::fs::write(&next, serde_json::to_string(&discovery)?)?;
    std::fs::rename(&next, file)?;
    Ok(())
}
