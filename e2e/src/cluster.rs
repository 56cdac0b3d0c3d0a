//! A real cluster on this machine: Kubernetes' own programs, each node a set of namespaces without a way out.
//!
//! One file a thing: [`up`] makes it, [`down`] takes it away, [`status`] tells of it. A [`machine`] is what runs programs,
//! [`control`] and [`node`] say which; [`istio`] comes on top; [`tools`] are built from Go modules, an [`image`] from this machine's programs. What was
//! made is in a [`record`] in the cluster's own [`folder`].

pub mod cgroup;
pub mod control;
pub mod cycle;
pub mod down;
pub mod endpoint;
pub mod evidence;
pub mod faults;
pub mod folder;
pub mod function;
pub mod image;
pub mod images;
pub mod istio;
pub mod knative;
pub mod kubectl;
pub mod layers;
pub mod machine;
pub mod network;
pub mod node;
pub mod openfaas;
pub mod process;
pub mod proxy;
pub mod record;
pub mod redis;
pub mod requirements;
pub mod running;
pub mod sidecars;
pub mod status;
pub mod steadfaas;
pub mod tools;
pub mod traces;
pub mod up;
pub mod usage;
pub mod watch;
