//! Finds the function that somebody names.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt as _;
use kube::api::{Api, ListParams};
use thiserror::Error;

use crate::access::{Access, ClusterError};
use crate::function::{DEFAULT_DOMAIN, Function, Kind, Platform, Upstream, list};

/// A function, and the Deployment that its replicas are of, where it isn't Knative's.
#[derive(Debug, Clone)]
pub struct Found {
    /// The function.
    pub function: Function,
    /// Its Deployment.
    pub deployment: Option<Deployment>,
}

/// There is no such function.
#[derive(Debug, Error)]
pub enum FindError {
    /// Nothing of this name.
    #[error("namespace {namespace} has no function `{name}`: {others}")]
    Missing {
        /// Where it was looked for.
        namespace: String,
        /// What was looked for.
        name: String,
        /// What there is.
        others: String,
    },
    /// A word that is no kind.
    #[error("`{kind}` is no kind of function: ksvc, deployment or service would be right, as in ksvc/fib")]
    NoKind {
        /// The word.
        kind: String,
    },
    /// The API server refuses.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// How many functions an error names.
const NAMED: usize = 8;

/// The function `name`, or `kind/name`, in the namespace that is meant.
///
/// # Errors
/// There is none, or the API server refuses.
pub async fn find(access: &Access, name: &str) -> Result<Found, FindError> {
    let (kind, name) = parse(name)?;
    let functions = list::list(&access.client, Some(&access.namespace), DEFAULT_DOMAIN).await;
    let functions = functions.map_err(ClusterError::refused("reading functions"))?;
    let deployments: Api<Deployment> = Api::namespaced(access.client.clone(), &access.namespace);
    let deployments = deployments.list(&ListParams::default()).await;
    let deployments = deployments.map_err(ClusterError::refused("reading deployments"))?.items;
    let function = choose(&functions, &deployments, kind, name);
    let function = function.ok_or_else(|| missing(&functions, &access.namespace, name))?;
    Ok(Found { deployment: behind(&function, deployments), function })
}

fn parse(name: &str) -> Result<(Option<Kind>, &str), FindError> {
    let Some((kind, name)) = name.split_once('/') else { return Ok((None, name)) };
    let kind = match kind {
        "ksvc" | "kservice" => Kind::KnativeService,
        "deployment" | "deployments" | "deploy" => Kind::Deployment,
        "service" | "services" | "svc" => Kind::Service,
        other => return Err(FindError::NoKind { kind: other.to_owned() }),
    };
    Ok((Some(kind), name))
}

/// The one that is annotated already before others of the same name. A Deployment that nobody annotated is no function
/// yet, unless it is asked for.
fn choose(
    functions: &[Function],
    deployments: &[Deployment],
    kind: Option<Kind>,
    name: &str,
) -> Option<Function> {
    let fits = |function: &&Function| function.name == name && kind.is_none_or(|kind| function.kind == kind);
    let fitting = || functions.iter().filter(fits);
    let chosen = fitting().find(|function| function.is_annotated()).or_else(|| fitting().next()).cloned();
    let named = || deployments.iter().find(|deployment| deployment.name_any() == name);
    match kind {
        Some(Kind::Deployment) => chosen.or_else(|| named().map(|deployment| of(deployment, functions))),
        _ => chosen,
    }
}

/// The Deployment as a function: requests reach it through the Services that lead to it.
fn of(deployment: &Deployment, functions: &[Function]) -> Function {
    let leading = functions.iter().filter(|function| {
        function.namespace == deployment.namespace().unwrap_or_default()
            && function.upstreams.iter().any(|upstream| is_led_to(upstream, deployment))
    });
    Function {
        platform: Platform::Plain,
        kind: Kind::Deployment,
        namespace: deployment.namespace().unwrap_or_default(),
        name: deployment.name_any(),
        uid: deployment.uid().unwrap_or_default(),
        annotations: BTreeMap::new(),
        upstreams: leading.flat_map(|function| function.upstreams.clone()).collect(),
    }
}

/// The Deployment that a function's replicas are of.
fn behind(function: &Function, deployments: Vec<Deployment>) -> Option<Deployment> {
    if function.platform == Platform::Knative {
        return None;
    }
    deployments.into_iter().find(|deployment| match function.kind {
        Kind::Deployment => deployment.name_any() == function.name,
        _ => function.upstreams.iter().any(|upstream| is_led_to(upstream, deployment)),
    })
}

fn is_led_to(upstream: &Upstream, deployment: &Deployment) -> bool {
    let template = deployment.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
    let Some(labels) = template.and_then(|metadata| metadata.labels.as_ref()) else { return false };
    !upstream.pods.is_empty() && upstream.pods.iter().all(|(key, value)| labels.get(key) == Some(value))
}

fn missing(functions: &[Function], namespace: &str, name: &str) -> FindError {
    let names: Vec<String> = functions.iter().take(NAMED).map(Function::kubectl_name).collect();
    let more = if functions.len() > NAMED { " and others" } else { "" };
    let others = if names.is_empty() {
        "it has none at all; -n names another namespace".to_owned()
    } else {
        format!("it has {}{more}", names.join(", "))
    };
    FindError::Missing { namespace: namespace.to_owned(), name: name.to_owned(), others }
}
