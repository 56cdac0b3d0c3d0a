//! The way to a cluster: which context and namespace, as kubectl has them, and what is said when it refuses.

use std::path::PathBuf;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use thiserror::Error;

/// Which cluster, and where in it.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// The kubeconfig; where none is named `$KUBECONFIG`, else `~/.kube/config`, else the pod's own account.
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context; its current one where none is named.
    pub context: Option<String>,
    /// The namespace; the context's own where none is named.
    pub namespace: Option<String>,
    /// A connection on which nothing is heard for so long is gone, and what was asked on it has failed; none: it may be
    /// silent for ever.
    pub silence: Option<Duration>,
}

/// A cluster that can be spoken to.
#[derive(Clone)]
pub struct Access {
    /// Speaks to its API server.
    pub client: Client,
    /// The namespace that is meant.
    pub namespace: String,
}

/// What a cluster refuses, in one line.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// There is no way to a cluster.
    #[error("no cluster is configured: {detail}; `kubectl config get-contexts` lists what there is")]
    NoConfig {
        /// What is wrong with the kubeconfig.
        detail: String,
    },
    /// The API server doesn't answer, or says no.
    #[error("{doing} failed: {}", in_words(error))]
    Refused {
        /// What was being done, beginning with a verb such as `reading`.
        doing: String,
        /// What the client says.
        error: Box<kube::Error>,
    },
}

impl Target {
    /// Opens the way; nothing is asked yet.
    ///
    /// # Errors
    /// The kubeconfig can't be read, or has no such context.
    pub async fn access(&self) -> Result<Access, ClusterError> {
        let mut config = self.config().await?;
        config.read_timeout = self.silence;
        let namespace = self.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(|error| ClusterError::no_config(&error))?;
        Ok(Access { client, namespace })
    }

    async fn config(&self) -> Result<Config, ClusterError> {
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        if self.kubeconfig.is_none() && self.context.is_none() {
            return Config::infer().await.map_err(|error| ClusterError::no_config(&error));
        }
        let kubeconfig = match &self.kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let config = kubeconfig.map_err(|error| ClusterError::no_config(&error))?;
        Config::from_custom_kubeconfig(config, &options).await.map_err(|error| self.explain(&error))
    }

    /// The library's words for a missing context don't name those that there are.
    fn explain(&self, error: &KubeconfigError) -> ClusterError {
        match (&self.context, error) {
            (Some(context), KubeconfigError::LoadContext(_)) => {
                ClusterError::NoConfig { detail: format!("the kubeconfig has no context `{context}`") }
            }
            _ => ClusterError::no_config(error),
        }
    }
}

impl ClusterError {
    fn no_config(error: &dyn std::error::Error) -> Self {
        Self::NoConfig { detail: innermost(error) }
    }

    /// `doing` what the client failed at, beginning with a verb such as `reading`.
    pub fn refused(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let doing = doing.into();
        move |error| Self::Refused { doing, error: Box::new(error) }
    }
}

/// What the API server says, or why it can't be reached.
pub(crate) fn in_words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.code == 403 => {
            format!("{}; who runs this needs that right", status.message)
        }
        kube::Error::Api(status) => status.message.clone(),
        kube::Error::Service(_) | kube::Error::HyperError(_) => {
            format!("the API server can't be reached: {}", innermost(error))
        }
        other => innermost(other),
    }
}

/// The first cause: wrappers repeat it or say less.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn a_refusal_says_what_was_done_and_what_the_server_said() {
        let status =
            Status::failure("pods is forbidden: User \"eve\" cannot list", "Forbidden").with_code(403);
        let error = ClusterError::refused("reading pods")(kube::Error::Api(status.boxed()));
        assert_eq!(
            error.to_string(),
            "reading pods failed: pods is forbidden: User \"eve\" cannot list; who runs this needs that right"
        );
    }

    #[tokio::test]
    async fn a_missing_kubeconfig_and_a_missing_context_are_named() {
        let nowhere = Target { kubeconfig: Some("/nowhere/config".into()), ..Target::default() };
        let error = nowhere.access().await.err().unwrap().to_string();
        assert!(error.starts_with("no cluster is configured: "), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        std::fs::write(&path, "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n")
            .unwrap();
        let other = Target { kubeconfig: Some(path), context: Some("prod".to_owned()), ..Target::default() };
        let error = other.access().await.err().unwrap().to_string();
        assert!(error.contains("the kubeconfig has no context `prod`"), "{error}");
    }
}
