//! The whole bootstrap.

use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};
use thiserror::Error;

use super::{FunctionsFile, Options, cluster, listener};
use crate::envoy::typed::address;

/// A bootstrap that can't be made.
#[derive(Debug, Error)]
pub enum RenderError {
    /// The file with the filter's module can't be read.
    #[error("the filter's module {} can't be read", path.display())]
    ModuleUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was given as the filter's module is something else.
    #[error("the filter's module doesn't begin as a WebAssembly module does: it is another file, or empty")]
    NoModule,
    /// The filter must know where the admin endpoint is.
    #[error("the admin endpoint can't have port 0: the filter has to find it; 127.0.0.1:9901 would be right")]
    AdminWithoutPort,
    /// A policy can't be written as JSON.
    #[error("a policy can't be written")]
    Policy(#[from] serde_json::Error),
}

/// Metric names carry labels as Istio's do, `function=.=fib;.;`: the first group of these is cut out of the name, the
/// second becomes the label's value.
const STATS_TAGS: [(&str, &str); 2] =
    [("function", r"(function=\.=(.*?);\.;)"), ("reason", r"(reason=\.=(.*?);\.;)")];

/// The bootstrap for the functions of `file`, as JSON.
///
/// # Errors
/// See [`RenderError`].
pub fn render(file: &FunctionsFile, options: &Options) -> Result<Value, RenderError> {
    if options.admin.port() == 0 {
        return Err(RenderError::AdminWithoutPort);
    }
    let mut clusters = file.functions.iter().map(cluster::function).collect::<Result<Vec<_>, _>>()?;
    clusters.push(cluster::admin(options.admin));
    let tags = STATS_TAGS.map(|(name, regex)| json!({ "tag_name": name, "regex": regex }));
    Ok(json!({
        "admin": { "address": address(options.admin) },
        "static_resources": { "listeners": [listener::config(file, options)?], "clusters": clusters },
        "stats_config": { "stats_tags": tags },
    }))
}
