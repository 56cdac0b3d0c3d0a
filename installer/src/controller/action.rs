//! What the controller does to a cluster.

use std::fmt;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::discovery::ApiResource;
use serde_json::value::RawValue;

use super::filters::Content;
use super::status::Finding;
use crate::envoy_filter;
use crate::function::Function;
use crate::virtual_service;

/// What the controller makes of Istio's kinds, in istiod's root namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// A function's policy.
    EnvoyFilter,
    /// Routes to functions.
    VirtualService,
}

impl Made {
    /// The kind, as its API is found.
    pub(super) fn resource(self) -> ApiResource {
        match self {
            Self::EnvoyFilter => envoy_filter::resource(),
            Self::VirtualService => virtual_service::resource(),
        }
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.resource().kind)
    }
}

/// One thing to do.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// An object of Istio's is to be like this.
    Apply {
        /// Its kind.
        made: Made,
        /// Its name.
        name: String,
        /// All of it, as text: thousands may wait to be written, and as values they take ten times the memory.
        object: Box<RawValue>,
        /// The same, to tell whether it is there.
        content: Content,
        /// Whether one of ours is there under the name.
        is_there: bool,
    },
    /// One of ours has nothing left to be for.
    Delete {
        /// Its kind.
        made: Made,
        /// Its name.
        name: String,
        /// Its UID: another one of the same name isn't meant.
        uid: Option<String>,
    },
    /// An EndpointSlice, by which another Service stands by, is to be like this.
    StandBy(Box<EndpointSlice>),
    /// An EndpointSlice of ours has nothing left to be for.
    StandDown {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A function's status is to be this; none where it asks for nothing any more.
    Say {
        /// The function.
        function: Box<Function>,
        /// The annotation's text.
        status: Option<String>,
        /// What is new about it, for Events.
        new: Vec<Finding>,
    },
    /// The administrators are to be told that their limits are wrong.
    Complain(Complaint),
}

/// What is wrong with an object that isn't a function.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Complaint {
    /// The object, in the version that is wrong.
    pub(super) about: ObjectReference,
    /// What is wrong and what would be right.
    pub(super) words: String,
}
