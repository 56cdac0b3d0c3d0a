//! What can be said to `cargo cluster`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use steadfaas_e2e::cluster::layers::Layer;
use steadfaas_e2e::cluster::up::MOST_WORKERS;
use xtask::functions::Function;

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
    /// Make sure of all that a cluster needs and that isn't built for it, or say what is missing
    Needs,
    /// Write the controller's image as an OCI archive, for `podman load`, `ctr images import` and the like
    Image {
        /// What nodes are to find it under, as `steadfaas render --image` is told
        name: String,
        /// The archive
        file: PathBuf,
        /// A function's image instead: `fib`, `guestbook` or `primes`
        #[arg(long, value_name = "FUNCTION", value_parser = function)]
        of: Option<Function>,
    },
    /// Build its programs, where they aren't yet: they take two cores for some 20 minutes
    Build,
    /// Name the scenarios that can be played
    Scenarios {
        /// Leave out those that another one repeats with the controller
        #[arg(long)]
        fewest: bool,
    },
    /// Play scenarios on it, without steadfaas and with it, and print what was felt of each
    Play(Play),
    /// Use steadfaas' own commands on it, from `install` to `uninstall`, and fail if one doesn't do what it says
    Commands,
    /// Disturb the controller and its API server, and fail if a function isn't protected as it asks soon after
    CatchUp {
        /// Let the API server be away for a minute instead of 10 s, and lose watches without a word: 3 minutes more
        #[arg(long)]
        long: bool,
    },
    /// Make many protected functions, and print what they cost the controller, the API server, istiod and the gateway
    ManyFunctions {
        /// How many
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(50..=5_000))]
        count: u16,
        /// A variable for istiod, beside its usual ones: `--istiod PILOT_DEBOUNCE_AFTER=1s`
        #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
        istiod: Vec<(String, String)>,
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

impl Command {
    /// Whether it touches namespaces or cgroups: for that one has to be root, on Linux.
    pub(crate) fn needs_rights(&self) -> bool {
        match self {
            Self::Image { .. } | Self::Build | Self::Scenarios { .. } | Self::Logs { .. } => false,
            Self::Play(play) => play.kubeconfig.is_none(),
            _ => true,
        }
    }
}

/// A function by its name.
fn function(name: &str) -> Result<Function, String> {
    let found = Function::ALL.into_iter().find(|function| function.name() == name);
    found.ok_or_else(|| format!("there are {}", Function::ALL.map(Function::name).join(", ")))
}

/// A variable and its value.
fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE would be right")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// What is to be played, and where.
#[derive(Debug, Args)]
pub(crate) struct Play {
    /// Which ones, of those that `scenarios` names, or `all`
    #[arg(required = true)]
    pub(crate) scenarios: Vec<String>,
    /// Print one JSON document a scenario instead of tables, with every second of what was used
    #[arg(long)]
    pub(crate) json: bool,
    /// The keys that protect the function, as a functions file has them: `--with "strategy: hedged, budget: 20%"`;
    /// each time it is given is a trial
    #[arg(long, value_name = "KEYS")]
    pub(crate) with: Vec<String>,
    /// A cluster of your own with Istio: it gets a function in the namespace `default` and, while that is played, an
    /// EnvoyFilter. Faults that need the nodes are left out
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Where that cluster's ingress gateway is reached from here, if not at its load balancer
    #[arg(long, value_name = "ADDRESS:PORT", requires = "kubeconfig")]
    pub(crate) gateway: Option<SocketAddr>,
    /// What that cluster's nodes find the sample function's image under
    #[arg(long, value_name = "NAME", requires = "kubeconfig")]
    pub(crate) image: Option<String>,
}
