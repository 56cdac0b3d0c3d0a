//! Which scenarios there are: a new one is a line here.

use super::Stage;
use crate::annotated::Annotated;
use crate::behind_gateway::{self, BehindGateway};
use crate::cluster::faults::{Fault, Needs};
use crate::cluster::layers::Layer;
use crate::guestbook::{self, Guestbook};
use crate::knative_service::KnativeService;
use crate::openfaas_function::{self, OpenFaasFunction};
use crate::openfaas_gateway::{Clients, OpenFaasGateway};
use crate::sidecar_caller::SidecarCaller;
use crate::standby_service::StandbyService;

/// A stage, and the fault that strikes on it.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    /// The function and its clients.
    pub stage: &'static dyn Stage,
    /// What strikes.
    pub fault: Fault,
}

const GATEWAY: &BehindGateway = &behind_gateway::FIB;
const KNATIVE: &KnativeService = &KnativeService;
const SIDECAR: &SidecarCaller = &SidecarCaller;

const ANNOTATED_GATEWAY: &Annotated = &Annotated {
    stage: GATEWAY,
    layers: &[Layer::Istio, Layer::Steadfaas],
    function: "deployment/fib",
    namespace: "default",
};
const ANNOTATED_KNATIVE: &Annotated = &Annotated {
    stage: KNATIVE,
    layers: &[Layer::Knative, Layer::Steadfaas],
    function: "services.serving.knative.dev/kn-fib",
    namespace: "default",
};

const ANNOTATED_OPENFAAS: &Annotated = &Annotated {
    stage: &OpenFaasFunction,
    layers: &[Layer::Openfaas, Layer::Steadfaas],
    function: "deployment/fib",
    namespace: openfaas_function::NAMESPACE,
};
const ANNOTATED_SIDECAR: &Annotated = &Annotated {
    stage: SIDECAR,
    layers: &[Layer::Sidecars, Layer::Steadfaas],
    function: "deployment/fib",
    namespace: "default",
};
const ANNOTATED_GUESTBOOK: &Annotated = &Annotated {
    stage: &guestbook::FUNCTION,
    layers: &[Layer::Istio, Layer::Redis, Layer::Steadfaas],
    function: "deployment/guestbook",
    namespace: "default",
};
const GUESTBOOK: &Guestbook = &Guestbook { function: ANNOTATED_GUESTBOOK };
const OPENFAAS_GATEWAY: &OpenFaasGateway =
    &OpenFaasGateway { function: ANNOTATED_OPENFAAS, clients: Clients::Outside };
const OPENFAAS_IN_MESH: &OpenFaasGateway =
    &OpenFaasGateway { function: ANNOTATED_OPENFAAS, clients: Clients::InMesh };
const STANDBY: &StandbyService = &StandbyService { function: ANNOTATED_GATEWAY };

/// All of them.
pub const ALL: [Scenario; 32] = [
    Scenario { name: "container-killed", stage: GATEWAY, fault: Fault::KillContainer },
    Scenario { name: "container-frozen", stage: GATEWAY, fault: Fault::FreezeContainer },
    Scenario { name: "pod-deleted", stage: GATEWAY, fault: Fault::DeletePod },
    Scenario { name: "pod-delayed", stage: GATEWAY, fault: Fault::DelayPod },
    Scenario { name: "node-lost", stage: GATEWAY, fault: Fault::LoseNode },
    Scenario { name: "node-drained", stage: GATEWAY, fault: Fault::DrainNode },
    Scenario { name: "kubelet-stopped", stage: GATEWAY, fault: Fault::StopKubelet },
    Scenario { name: "istiod-stopped", stage: GATEWAY, fault: Fault::StopIstiod },
    Scenario { name: "api-server-stopped", stage: GATEWAY, fault: Fault::StopApiServer },
    Scenario { name: "knative-pod-deleted", stage: KNATIVE, fault: Fault::DeletePod },
    Scenario { name: "knative-node-lost", stage: KNATIVE, fault: Fault::LoseNode },
    Scenario { name: "knative-container-frozen", stage: KNATIVE, fault: Fault::FreezeContainer },
    Scenario { name: "sidecar-container-killed", stage: SIDECAR, fault: Fault::KillContainer },
    Scenario { name: "sidecar-container-frozen", stage: SIDECAR, fault: Fault::FreezeContainer },
    Scenario { name: "sidecar-node-lost", stage: SIDECAR, fault: Fault::LoseNode },
    Scenario { name: "annotated-container-killed", stage: ANNOTATED_GATEWAY, fault: Fault::KillContainer },
    Scenario { name: "annotated-pod-deleted", stage: ANNOTATED_GATEWAY, fault: Fault::DeletePod },
    Scenario { name: "annotated-node-lost", stage: ANNOTATED_GATEWAY, fault: Fault::LoseNode },
    Scenario { name: "annotation-changed", stage: ANNOTATED_GATEWAY, fault: Fault::ChangeAnnotation },
    Scenario { name: "controller-stopped", stage: ANNOTATED_GATEWAY, fault: Fault::StopController },
    Scenario { name: "uninstalled", stage: ANNOTATED_GATEWAY, fault: Fault::Uninstall },
    Scenario { name: "guestbook-container-killed", stage: GUESTBOOK, fault: Fault::KillContainer },
    Scenario { name: "all-replicas-lost", stage: STANDBY, fault: Fault::LoseAll },
    Scenario {
        name: "annotated-sidecar-container-killed",
        stage: ANNOTATED_SIDECAR,
        fault: Fault::KillContainer,
    },
    Scenario {
        name: "annotated-openfaas-container-killed",
        stage: ANNOTATED_OPENFAAS,
        fault: Fault::KillContainer,
    },
    Scenario { name: "annotated-openfaas-pod-deleted", stage: ANNOTATED_OPENFAAS, fault: Fault::DeletePod },
    Scenario {
        name: "openfaas-gateway-container-killed",
        stage: OPENFAAS_GATEWAY,
        fault: Fault::KillContainer,
    },
    Scenario {
        name: "openfaas-gateway-in-mesh-container-killed",
        stage: OPENFAAS_IN_MESH,
        fault: Fault::KillContainer,
    },
    Scenario {
        name: "annotated-knative-container-killed",
        stage: ANNOTATED_KNATIVE,
        fault: Fault::KillContainer,
    },
    Scenario { name: "annotated-knative-pod-deleted", stage: ANNOTATED_KNATIVE, fault: Fault::DeletePod },
    Scenario { name: "annotated-knative-node-lost", stage: ANNOTATED_KNATIVE, fault: Fault::LoseNode },
    Scenario { name: "revision-rolled-out", stage: ANNOTATED_KNATIVE, fault: Fault::NewRevision },
];

/// Those that these words name: a scenario's name, or `all`.
///
/// # Errors
/// A word names none; the error names all there are.
pub fn named(words: &[String]) -> anyhow::Result<Vec<Scenario>> {
    let mut found = Vec::new();
    for word in words {
        let before = found.len();
        found.extend(ALL.into_iter().filter(|scenario| word == "all" || word == scenario.name));
        let names = ALL.map(|scenario| scenario.name).join(", ");
        anyhow::ensure!(found.len() > before, "no scenario is called `{word}`: there are {names}, and `all`");
    }
    Ok(found)
}

impl Scenario {
    /// Whether others show the same and more: its EnvoyFilter is written by hand, and its fault strikes where the
    /// controller writes it, or in an earlier scenario.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        let by_hand = |one: &Self| !one.stage.layers().contains(&Layer::Steadfaas);
        let same = |other: &&Self| other.fault == self.fault;
        let earlier = ALL.iter().take_while(|other| other.name != self.name).any(|other| same(&other));
        by_hand(self) && (earlier || ALL.iter().filter(same).any(|other| !by_hand(other)))
    }

    /// Why it can't be played on a cluster of the user's own, where it can't.
    #[must_use]
    pub fn why_not_elsewhere(&self) -> Option<&'static str> {
        if self.fault.needs() == Needs::Nodes {
            return Some("its fault needs the nodes, which aren't ours to touch");
        }
        let beside_istio = self.stage.layers().iter().any(|layer| *layer != Layer::Istio);
        beside_istio.then_some("it needs more than Istio, as `cargo cluster up` puts it there")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_means_every_scenario() {
        assert_eq!(named(&["all".to_owned()]).unwrap().len(), ALL.len());
    }

    #[test]
    fn no_fault_is_left_out_where_repeated_scenarios_are() {
        let fewest: Vec<Scenario> = ALL.into_iter().filter(|scenario| !scenario.is_repeated()).collect();
        for fault in Fault::ALL {
            assert!(fewest.iter().any(|scenario| scenario.fault == fault), "{fault:?}");
        }
        let by_hand: Vec<&str> = fewest.iter().map(|scenario| scenario.name).take(6).collect();
        let expected = [
            "container-frozen",
            "pod-delayed",
            "node-drained",
            "kubelet-stopped",
            "istiod-stopped",
            "api-server-stopped",
        ];
        assert_eq!((by_hand, fewest.len()), (expected.to_vec(), 23));
    }

    #[test]
    fn every_fault_of_the_library_is_played() {
        for fault in Fault::ALL {
            assert!(ALL.iter().any(|scenario| scenario.fault == fault), "{fault:?}");
        }
    }

    #[test]
    fn an_unknown_name_is_named_beside_the_known_ones() {
        let error = named(&["pod-lost".to_owned()]).err().unwrap().to_string();
        assert!(
            error.starts_with("no scenario is called `pod-lost`: there are container-killed, "),
            "{error}"
        );
    }
}
