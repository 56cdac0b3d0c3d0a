//! Which cluster, as kubectl is told; and a runtime to speak to it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::CliError;
use crate::access::{Access, Target};

/// Which cluster, and where in it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub(super) struct Cluster {
    /// The context of the kubeconfig [default: its current one]
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// The namespace of the function [default: the context's]
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// The kubeconfig [default: $KUBECONFIG, ~/.kube/config, or the account of the pod this runs in]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

impl Cluster {
    fn target(&self) -> Target {
        Target {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            namespace: self.namespace.clone(),
            silence: None,
        }
    }

    /// The namespace that was asked for.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Runs `work` on the cluster.
    pub(super) fn run<T>(
        &self,
        work: impl AsyncFnOnce(Access) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        run_on(&self.target(), work)
    }

    /// The same for what runs for ever: connections that are silent for so long are gone.
    pub(super) fn run_on_while_heard<T>(
        &self,
        silence: Duration,
        work: impl AsyncFnOnce(Access) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        run_on(&Target { silence: Some(silence), ..self.target() }, work)
    }
}

fn run_on<T>(target: &Target, work: impl AsyncFnOnce(Access) -> Result<T, CliError>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(CliError::Runtime)?.block_on(async { work(target.access().await?).await })
}
