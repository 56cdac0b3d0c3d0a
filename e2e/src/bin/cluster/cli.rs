//! What can be said to `cargo cluster`.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use steadfaas_e2e::cluster::faults::Fault;
use steadfaas_e2e::cluster::layers::Layer;
use steadfaas_e2e::cluster::up::MOST_WORKERS;

/// A real Kubernetes on this machine, without containers of containers: each node is a set of namespaces. It needs
/// Linux and root.
#[derive(Debug, Parser)]
#[command(name = "cluster", bin_name = "cargo cluster")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the cluster: control plane, system node, workers; one that is up stays as it is
    Up {
        /// How many workers
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST_WORKERS)))]
        nodes: u8,
        /// What comes on top of Kubernetes; a cluster that is up gets what it lacks
        #[arg(long, value_delimiter = ',')]
        with: Vec<Layer>,
    },
    /// Take it away: its processes, namespaces, mounts, cgroups and files
    Down,
    /// Show its programs, nodes and pods
    Status,
    /// Run kubectl against it
    #[command(disable_help_flag = true)]
    Kubectl {
        /// What kubectl is told
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Make a cluster and take it away, several times, and fail if anything stays
    Cycle {
        /// How many times; the first one isn't compared
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=100))]
        times: u32,
        /// How many workers
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST_WORKERS)))]
        nodes: u8,
        /// What comes on top of Kubernetes each time
        #[arg(long, value_delimiter = ',')]
        with: Vec<Layer>,
    },
    /// Play a scenario on it, with steadfaas and without, and print what was felt of it
    Play {
        /// Which one
        scenario: Scenario,
    },
    /// Print what a program wrote: `etcd`, or `worker1/kubelet`
    Logs {
        /// The program, after its machine's name and a slash where that isn't the control plane's
        name: String,
    },
    /// Open a shell on a node, or on `control`
    Shell {
        /// The machine
        node: String,
    },
    /// Stand in for net-istio's controller until it is ended: `up --with knative` starts it
    #[command(hide = true)]
    NetIstioStandIn {
        /// The kubectl to be used
        #[arg(long)]
        kubectl: PathBuf,
        /// How the API server is reached
        #[arg(long)]
        kubeconfig: PathBuf,
    },
}

/// What can be played: behind Istio's gateway, one of two replicas is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Its container is killed
    ContainerKilled,
    /// Its container is frozen, and goes on 5 s later
    ContainerFrozen,
    /// Its pod is deleted
    PodDeleted,
    /// Its node is lost, and comes back 5 s later
    NodeLost,
}

impl Scenario {
    /// Its name, and what strikes.
    pub(crate) fn what(self) -> (&'static str, Fault) {
        match self {
            Self::ContainerKilled => ("container-killed", Fault::KillContainer),
            Self::ContainerFrozen => ("container-frozen", Fault::FreezeContainer),
            Self::PodDeleted => ("pod-deleted", Fault::DeletePod),
            Self::NodeLost => ("node-lost", Fault::LoseNode),
        }
    }
}
