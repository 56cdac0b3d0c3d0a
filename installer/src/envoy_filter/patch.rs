//! One patch of what istiod configures, and where it applies.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use crate::envoy::typed::with;

/// Which proxies protect functions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Contexts {
    /// Gateways: for calls from outside the mesh.
    Gateway,
    /// Sidecars: for calls of one function to another.
    Sidecar,
    /// All.
    #[default]
    Both,
}

impl Contexts {
    /// As EnvoyFilters name them. A patch needs one: without, it also holds for a function's own inbound cluster, which
    /// Envoy then refuses.
    pub(super) fn named(self) -> &'static [&'static str] {
        match self {
            Self::Gateway => &[GATEWAY],
            Self::Sidecar => &[SIDECAR],
            Self::Both => &[GATEWAY, SIDECAR],
        }
    }

    /// Gateways are among them.
    pub(crate) fn has_gateways(self) -> bool {
        self != Self::Sidecar
    }

    /// Sidecars are among them.
    pub(crate) fn has_sidecars(self) -> bool {
        self != Self::Gateway
    }
}

/// A gateway, as EnvoyFilters name it.
const GATEWAY: &str = "GATEWAY";

/// What a sidecar does with its own pod's calls.
pub(super) const SIDECAR: &str = "SIDECAR_OUTBOUND";

impl FromStr for Contexts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "gateway" => Ok(Self::Gateway),
            "sidecar" => Ok(Self::Sidecar),
            "both" => Ok(Self::Both),
            other => Err(format!("`{other}` are no proxies: gateway, sidecar or both would be right")),
        }
    }
}

impl fmt::Display for Contexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gateway => "gateway",
            Self::Sidecar => "sidecar",
            Self::Both => "both",
        })
    }
}

/// A patch of this kind of thing, where `matched` (an object) fits.
pub(super) fn patch(apply_to: &str, context: &str, matched: Value, operation: &str, value: Value) -> Value {
    json!({
        "applyTo": apply_to,
        "match": with(matched, "context", context.into()),
        "patch": { "operation": operation, "value": value },
    })
}
