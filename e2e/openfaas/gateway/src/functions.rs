//! Where the functions' ready pods are, as the API server tells.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use steadfaas_e2e_watch::{self as watch, Told};

/// The watchdog's, in every function's pod.
const PORT: u16 = 8080;

/// By this label a slice says whose endpoints it has.
const SERVICE: &str = "/metadata/labels/kubernetes.io~1service-name";

/// What is known of all functions in one namespace.
#[derive(Debug, Default, Clone)]
pub(crate) struct Functions {
    slices: Arc<RwLock<BTreeMap<String, Slice>>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Slice {
    function: String,
    ready: Vec<IpAddr>,
}

impl Functions {
    /// Those in this namespace, watched for as long as the program runs.
    pub(crate) fn watch(kubectl: PathBuf, namespace: &str) -> Self {
        let functions = Self::default();
        let namespace = format!("--namespace={namespace}");
        let command = move || {
            let mut command = Command::new(&kubectl);
            command.args(["get", "endpointslices", &namespace]).args(watch::WORDS);
            command
        };
        let writer = functions.clone();
        watch::keep(command, move |told| {
            writer.take(&told);
            ControlFlow::Continue(())
        });
        functions
    }

    /// While there is no watch, what was known last holds.
    fn take(&self, told: &Told) {
        let (object, gone) = match told {
            Told::Anew => return,
            Told::Is(object) => (object, false),
            Told::Gone(object) => (object, true),
        };
        let Some(name) = object.pointer("/metadata/name").and_then(Value::as_str) else { return };
        let mut slices = self.slices.write().unwrap_or_else(PoisonError::into_inner);
        match Slice::of(object).filter(|_| !gone) {
            Some(slice) => slices.insert(name.to_owned(), slice),
            None => slices.remove(name),
        };
    }

    /// A ready pod of this function, whichever.
    pub(crate) fn any_pod(&self, function: &str) -> Option<SocketAddr> {
        let slices = self.slices.read().unwrap_or_else(PoisonError::into_inner);
        let ready = slices.values().filter(|slice| slice.function == function).flat_map(|slice| &slice.ready);
        Some(SocketAddr::new(*fastrand::choice(ready.collect::<Vec<_>>())?, PORT))
    }
}

impl Slice {
    fn of(object: &Value) -> Option<Self> {
        let function = object.pointer(SERVICE)?.as_str()?.to_owned();
        let endpoints =
            object.get("endpoints").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let ready =
            endpoints.iter().filter(|one| one.pointer("/conditions/ready") == Some(&Value::Bool(true)));
        let address = |one: &Value| one.pointer("/addresses/0")?.as_str()?.parse().ok();
        Some(Self { function, ready: ready.filter_map(address).collect() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn slice() -> Value {
        let endpoint =
            |address: &str, ready: bool| json!({ "addresses": [address], "conditions": { "ready": ready } });
        json!({
            "metadata": { "name": "fib-abc", "labels": { "kubernetes.io/service-name": "fib" } },
            "endpoints": [endpoint("10.0.0.1", false), endpoint("10.0.0.2", true)],
        })
    }

    #[test]
    fn only_ready_pods_are_chosen() {
        let functions = Functions::default();
        functions.take(&Told::Is(slice()));
        assert_eq!(functions.any_pod("fib"), Some("10.0.0.2:8080".parse().unwrap()));
        assert_eq!(functions.any_pod("other"), None);
    }

    #[test]
    fn a_function_that_is_deleted_has_none() {
        let functions = Functions::default();
        functions.take(&Told::Is(slice()));
        functions.take(&Told::Gone(slice()));
        assert_eq!(functions.any_pod("fib"), None);
    }
}
