//! What the controller watches: every kind in a store of its own, slimmed, and word of each change.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::Api;
use kube::runtime::reflector::{self, Lookup, Store};
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, DefaultBackoff, Event, watcher};
use kube::runtime::{WatchStreamExt as _, reflector as reflect};
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::UnboundedSender;

use super::filters::Filter;
use super::limits;
use super::routes::VirtualService;
use super::settings::Settings;
use crate::access::in_words;
use crate::envoy_filter::{self, PART};
use crate::function::PREFIX;
use crate::function::knative::{self, KnativeService};
use crate::virtual_service;

/// A watch is begun anew after so many seconds, from where it was: so something is heard on each connection. A request every
/// few seconds is nothing to an API server.
const WATCHED_FOR: u32 = 30;

/// A connection to the API server on which nothing is heard for longer than a watch takes is gone, as where a load balancer
/// forgot it. Those that wait for their next request are found so, too: a new watch on one would never be answered.
pub const SILENCE: Duration = Duration::from_secs(WATCHED_FOR as u64 + 10);

/// Longest wait before a broken watch is tried again: an API server that was away for minutes is found as soon as it is
/// back, and one that is away gets a request or two a second from all watches.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Watched {
    Knative,
    Services,
    Deployments,
    Endpoints,
    Filters,
    Routes,
    Limits,
}

impl Watched {
    /// All of it.
    pub(super) const ALL: [Self; 7] = [
        Self::Knative,
        Self::Services,
        Self::Deployments,
        Self::Endpoints,
        Self::Filters,
        Self::Routes,
        Self::Limits,
    ];
}

/// Word of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Something in this namespace.
    Namespace(String),
    /// An EnvoyFilter of ours.
    Filter {
        /// Its name.
        name: String,
        /// Its version, or that with which it was deleted.
        version: Option<String>,
    },
    /// All of it was listed, for the first time or again.
    Listed(Watched),
    /// The cluster doesn't know the kind.
    Unknown(Watched),
    /// A VirtualService, ours or somebody's, which may concern any function that asks for a route.
    Route {
        /// Its name.
        name: String,
        /// Its version, or that with which it was deleted.
        version: Option<String>,
    },
    /// The administrators' limits.
    Limits,
}

/// The stores.
pub(super) struct Stores {
    pub(super) knative: Store<KnativeService>,
    pub(super) services: Store<Service>,
    pub(super) deployments: Store<Deployment>,
    pub(super) slices: Store<EndpointSlice>,
    pub(super) filters: Store<Filter>,
    pub(super) routes: Store<VirtualService>,
    pub(super) limits: Store<ConfigMap>,
}

/// Which VirtualServices: net-istio's, one or two for each of Knative's Services, never lead to OpenFaaS' gateway.
const NOT_KNATIVES: &str = "!networking.internal.knative.dev/ingress";

/// Starts all watches; they end when nobody listens any more.
pub(super) fn start(client: &Client, settings: &Settings, tell: &UnboundedSender<Change>) -> Stores {
    let all = || watcher::Config::default().timeout(WATCHED_FOR);
    let (knatives, filters) = (knative::resource(), envoy_filter::resource());
    let ours = all().labels(PART);
    let one = all().fields(&format!("metadata.name={}", limits::NAME));
    let filter_api = Api::namespaced_with(client.clone(), &settings.root_namespace, &filters);
    let routes = virtual_service::resource();
    let limits_api: Api<ConfigMap> = Api::namespaced(client.clone(), &settings.namespace);

    Stores {
        knative: watch(
            (Watched::Knative, Api::all_with(client.clone(), &knatives), all(), knatives),
            |_| {},
            here,
            tell,
        ),
        services: watch((Watched::Services, Api::all(client.clone()), all(), ()), slim_service, here, tell),
        deployments: watch(
            (Watched::Deployments, Api::all(client.clone()), all(), ()),
            slim_deployment,
            here,
            tell,
        ),
        slices: watch((Watched::Endpoints, Api::all(client.clone()), all(), ()), slim_slice, here, tell),
        filters: watch(
            (Watched::Filters, filter_api, ours, filters),
            slim_filter,
            |filter| {
                Some(Change::Filter {
                    name: filter.name_any(),
                    version: filter.metadata.resource_version.clone(),
                })
            },
            tell,
        ),
        routes: watch(
            (Watched::Routes, Api::all_with(client.clone(), &routes), all().labels(NOT_KNATIVES), routes),
            slim_route,
            |route| {
                Some(Change::Route {
                    name: route.name_any(),
                    version: route.metadata.resource_version.clone(),
                })
            },
            tell,
        ),
        limits: watch((Watched::Limits, limits_api, one, ()), |_| {}, |_| Some(Change::Limits), tell),
    }
}

fn here(object: &impl ResourceExt) -> Option<Change> {
    ResourceExt::namespace(object).map(Change::Namespace)
}

/// One watch: its name, where it looks, for what, and the kind.
type Of<K> = (Watched, Api<K>, watcher::Config, <K as Resource>::DynamicType);

fn watch<K>(
    (watched, api, config, kind): Of<K>,
    slim: fn(&mut K),
    change: impl Fn(&K) -> Option<Change> + Send + 'static,
    tell: &UnboundedSender<Change>,
) -> Store<K>
where
    K: Resource
        + Lookup<DynamicType = <K as Resource>::DynamicType>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
    <K as Resource>::DynamicType: Clone + Debug + Eq + Hash + Send + Sync + Unpin,
{
    let writer = reflector::store::Writer::new(kind);
    let store = writer.as_reader();
    let events = watcher(api, config).backoff(Soon::default()).modify(move |object: &mut K| {
        object.managed_fields_mut().clear();
        slim(object);
    });
    tokio::spawn(pass_on(watched, reflect(writer, events), change, tell.clone()));
    store
}

/// The waits that Kubernetes' own clients take, but for the longest.
#[derive(Default)]
struct Soon(DefaultBackoff);

impl Iterator for Soon {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.next().map(|wait| wait.min(TRIED_AGAIN_AFTER))
    }
}

impl Backoff for Soon {
    fn reset(&mut self) {
        self.0.reset();
    }
}

/// Says what changed, as long as somebody listens.
async fn pass_on<K>(
    watched: Watched,
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    change: impl Fn(&K) -> Option<Change>,
    tell: UnboundedSender<Change>,
) {
    let mut events = std::pin::pin!(events);
    let mut is_unknown = false;
    while let Some(event) = events.next().await {
        let word = match event {
            Ok(Event::Apply(object) | Event::Delete(object)) => change(&object),
            Ok(Event::InitDone) => Some(Change::Listed(watched)),
            Ok(Event::Init | Event::InitApply(_)) => None,
            Err(error) if watched == Watched::Knative && knows_no_such_kind(&error) => {
                let first = !std::mem::replace(&mut is_unknown, true);
                first.then_some(Change::Unknown(watched))
            }
            Err(error) => {
                let error = words(&error);
                tracing::warn!(?watched, error, "the watch is broken, and tried again");
                None
            }
        };
        if word.is_some_and(|word| tell.send(word).is_err()) {
            return;
        }
    }
}

fn knows_no_such_kind(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::InitialListFailed(kube::Error::Api(status)) if status.code == 404)
}

/// What the API server says, or the watch itself.
fn words(error: &watcher::Error) -> String {
    use std::error::Error as _;
    match error.source().and_then(|cause| cause.downcast_ref::<kube::Error>()) {
        Some(cause) => in_words(cause),
        None => error.to_string(),
    }
}

fn slim_filter(filter: &mut Filter) {
    // Of the one with the extension `kubectl apply` keeps a copy here, with the whole module.
    filter.annotations_mut().retain(|key, _| key.starts_with(PREFIX));
}

fn slim_service(service: &mut Service) {
    service.annotations_mut().retain(|key, _| key.starts_with(PREFIX));
    service.status = None;
}

fn slim_deployment(deployment: &mut Deployment) {
    deployment.annotations_mut().retain(|key, _| key.starts_with(PREFIX));
    deployment.status = None;
    if let Some(spec) = &mut deployment.spec {
        spec.template.spec = None;
    }
}

fn slim_route(route: &mut VirtualService) {
    route.annotations_mut().clear();
    if !route.labels().contains_key(PART) {
        route.spec.slim();
    }
}

fn slim_slice(slice: &mut EndpointSlice) {
    slice.annotations_mut().clear();
    for endpoint in &mut slice.endpoints {
        endpoint.hostname = None;
    }
}
