//! `steadfaas protect` and `steadfaas unprotect`.

use std::collections::BTreeMap;

use clap::Args;
use kube::Api;
use serde_json::Value;
use steadfaas_core::policy::Policy;

use super::cluster::Cluster;
use super::output::write;
use super::{CliError, Outcome};
use crate::access::{Access, ClusterError};
use crate::function::knative::{self, KnativeService};
use crate::function::{Kind, Platform};
use crate::protect::{Change, Found, annotate, compile, find, scale};

/// What `steadfaas protect` is told. What isn't said is taken away where it was said before.
#[derive(Debug, Args)]
pub(super) struct Protect {
    /// The function, or ksvc/NAME, deployment/NAME, service/NAME
    name: String,
    /// retry, active-standby, request-replication, hedged
    #[arg(long)]
    strategy: String,
    /// K, how many replicas may fail at once, 1 to 4 [default: 1]
    #[arg(long, value_name = "K")]
    tolerate: Option<String>,
    /// Which requests may run twice: true, false, by-method [default: by-method]
    #[arg(long, value_name = "WHICH")]
    idempotent: Option<String>,
    /// Envoy's words for what is tried again
    #[arg(long, value_name = "WORDS")]
    retry_on: Option<String>,
    /// After how long without an answer the next replica starts [default: auto]
    #[arg(long, value_name = "TIME")]
    hedge_after: Option<String>,
    /// Extra attempts, in percent of the requests [default: 10%]
    #[arg(long, value_name = "PERCENT")]
    budget: Option<String>,
    /// When a request is over, all attempts together
    #[arg(long, value_name = "TIME")]
    deadline: Option<String>,
    /// When copies start: staggered [default: staggered]
    #[arg(long, value_name = "HOW")]
    start: Option<String>,
    /// off, tcp, http:/path, each with @interval [default: off]
    #[arg(long, value_name = "HOW")]
    probe: Option<String>,
    /// SERVICE or SERVICE.NAMESPACE: its replicas take over where none of the function's own is well
    #[arg(long, value_name = "SERVICE")]
    standby_service: Option<String>,
    /// gateway: calls of OpenFaaS' gateway, which sends past the mesh, are led to the function
    #[arg(long, value_name = "WHICH")]
    route: Option<String>,
    /// Also give it the replicas that it needs: Knative's min-scale and target-burst-capacity, or a Deployment's replicas
    /// and their spread over nodes
    #[arg(long)]
    scale: bool,
    /// Only show what would be written; the API server says whether it would take it
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    cluster: Cluster,
}

/// What `steadfaas unprotect` is told.
#[derive(Debug, Args)]
pub(super) struct Unprotect {
    /// The function, or ksvc/NAME, deployment/NAME, service/NAME
    name: String,
    /// Only show what would be written
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    cluster: Cluster,
}

/// Writes the annotations, and with `--scale` the replicas.
pub(super) fn protect(arguments: &Protect) -> Result<Outcome, CliError> {
    arguments.cluster.run(async |access| {
        let found = find(&access, &arguments.name).await?;
        let mut settings = arguments.settings();
        let policy =
            compile(&found.function, &settings).map_err(|error| CliError::Wrong(error.to_string()))?;
        if let Some(route) = &arguments.route {
            let checked = found.function.route_by(route);
            checked.map_err(|error| CliError::Wrong(error.to_string()))?;
            settings.insert("route".to_owned(), route.clone());
        }
        let change = annotate(&found.function, &settings);
        let lacks = lacks(&access, &found, &policy).await?;
        let changes = if arguments.scale { with_scale(change, lacks.clone()) } else { vec![change] };
        carry_out(&access, &changes, arguments.dry_run).await?;
        if !arguments.dry_run {
            write(&arguments.result(&found, &policy, lacks.as_ref()))?;
        }
        Ok(Outcome::Well)
    })
}

/// Takes the annotations away.
pub(super) fn unprotect(arguments: &Unprotect) -> Result<Outcome, CliError> {
    arguments.cluster.run(async |access| {
        let found = find(&access, &arguments.name).await?;
        let change = annotate(&found.function, &BTreeMap::new());
        if change.is_empty() {
            write(&format!("{} has no annotation of steadfaas\n", change.object()))?;
            return Ok(Outcome::Well);
        }
        carry_out(&access, std::slice::from_ref(&change), arguments.dry_run).await?;
        if !arguments.dry_run {
            write(&format!("{} is no longer protected; its replicas stay as they are\n", change.object()))?;
        }
        Ok(Outcome::Well)
    })
}

impl Protect {
    fn settings(&self) -> BTreeMap<String, String> {
        let optional = [
            ("tolerate", &self.tolerate),
            ("idempotent", &self.idempotent),
            ("retry-on", &self.retry_on),
            ("hedge-after", &self.hedge_after),
            ("budget", &self.budget),
            ("deadline", &self.deadline),
            ("start", &self.start),
            ("probe", &self.probe),
            ("standby-service", &self.standby_service),
        ];
        let given = optional.into_iter().filter_map(|(key, value)| Some((key, value.clone()?)));
        let all = [("strategy", self.strategy.clone())].into_iter().chain(given);
        all.map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// What was done, and what is lacking still.
    fn result(&self, found: &Found, policy: &Policy, lacks: Option<&Lack>) -> String {
        let function = &found.function;
        let (strategy, tolerate) = (policy.strategy.as_str(), policy.tolerate);
        let mut text = format!(
            "{} {} is to be protected: {strategy}, K = {tolerate}; `steadfaas status {} -n {}` shows it\n",
            function.kind.kubectl(),
            function.id(),
            function.name,
            function.namespace
        );
        for line in lacks.iter().flat_map(|lack| scale::in_words(&lack.patch)) {
            let said = if self.scale { "gave it" } else { "it needs, and --scale writes," };
            text += &format!("  {said} {line}\n");
        }
        if function.platform == Platform::OpenFaas && lacks.is_some() {
            text +=
                "  the next deploy sets replicas anew: put com.openfaas.scale.min into its labels as well\n";
        }
        text
    }
}

/// What a function lacks to survive K failures, and where it belongs.
#[derive(Debug, Clone)]
struct Lack {
    kind: Kind,
    namespace: String,
    name: String,
    patch: Value,
}

async fn lacks(access: &Access, found: &Found, policy: &Policy) -> Result<Option<Lack>, CliError> {
    let function = &found.function;
    let namespace = function.namespace.clone();
    if function.kind == Kind::KnativeService {
        let services: Api<KnativeService> =
            Api::namespaced_with(access.client.clone(), &namespace, &knative::resource());
        let service = services.get(&function.name).await;
        let service =
            service.map_err(ClusterError::refused(format!("reading {}", function.kubectl_name())))?;
        let patch = scale::knative(&service.spec.template.metadata.annotations, policy.tolerate);
        let name = function.name.clone();
        return Ok(patch.map(|patch| Lack { kind: Kind::KnativeService, namespace, name, patch }));
    }
    let Some(deployment) = &found.deployment else { return Ok(None) };
    let name = deployment.metadata.name.clone().unwrap_or_default();
    let patch = scale::deployment(deployment, policy.tolerate);
    Ok(patch.map(|patch| Lack { kind: Kind::Deployment, namespace, name, patch }))
}

/// One change where both are of one object.
fn with_scale(change: Change, lack: Option<Lack>) -> Vec<Change> {
    match lack {
        None => vec![change],
        Some(lack) if (lack.kind, &lack.name) == (change.kind, &change.name) => vec![change.with(lack.patch)],
        Some(Lack { kind, namespace, name, patch }) => vec![Change { kind, namespace, name, patch }, change],
    }
}

/// Does them, or in a dry run shows them once the API server would take them.
async fn carry_out(access: &Access, changes: &[Change], dry_run: bool) -> Result<(), CliError> {
    for change in changes {
        change.apply(access, dry_run).await?;
        if dry_run {
            let patch = serde_saphyr::to_string(&change.patch)?;
            write(&format!("# would be merged into {}\n{patch}", change.object()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use steadfaas_core::policy::KEYS;

    use super::*;

    #[test]
    fn every_key_that_a_strategy_acts_on_can_be_said() {
        let command = Protect::augment_args(clap::Command::new("protect"));
        let said: Vec<&str> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
        for key in KEYS.into_iter().filter(|key| *key != "objective") {
            assert!(said.contains(&key), "what isn't said is taken away: --{key}");
        }
    }
}
