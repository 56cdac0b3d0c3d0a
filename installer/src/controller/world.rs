//! All that is known of the cluster, and what is to be done in it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use kube::ResourceExt as _;
use kube::runtime::reflector::Store;

use super::action::Action;
use super::decide::{Memory, Seen, decide};
use super::endpoints::Endpoints;
use super::limits::Limits;
use super::metrics::Metrics;
use super::placement::{Leaning, Surroundings};
use super::routes::{self, VirtualService};
use super::settings::Settings;
use super::verdict::Known;
use super::watches::{Change, Stores, Watched};
use crate::envoy_filter::owner_namespace;
use crate::function::{Function, Objects, ROUTE, functions};

/// All that is known of the cluster.
pub(super) struct World {
    stores: Stores,
    listed: HashSet<Watched>,
    /// The cluster has no Knative, as far as anybody knows.
    without_knative: bool,
    limits: Limits,
    /// Namespaces to look at.
    dirty: BTreeSet<String>,
    leaning: Leaning,
    /// Namespaces with functions that ask for a route.
    routed: BTreeSet<String>,
    pub(super) memory: Memory,
}

impl World {
    pub(super) fn new(stores: Stores) -> Self {
        Self {
            stores,
            listed: HashSet::new(),
            without_knative: false,
            limits: Limits::default(),
            dirty: BTreeSet::new(),
            leaning: Leaning::default(),
            routed: BTreeSet::new(),
            memory: Memory::default(),
        }
    }

    /// Takes note of a change.
    pub(super) fn note(&mut self, change: Change) {
        match change {
            Change::Namespace(namespace) => self.look_at(namespace),
            Change::Listed(watched) => {
                self.listed.insert(watched);
                if watched == Watched::Limits {
                    self.read_limits();
                }
                self.look_at_all();
            }
            Change::Unknown(_) => {
                tracing::info!("there is no Knative here");
                self.without_knative = true;
                self.look_at_all();
            }
            Change::Routes => self.dirty.extend(self.routed.iter().cloned()),
            Change::Limits => {
                self.read_limits();
                self.look_at_all();
            }
        }
    }

    /// This namespace is to be looked at, and those whose functions lean on it.
    pub(super) fn look_at(&mut self, namespace: String) {
        self.dirty.extend(self.leaning.on(&namespace).cloned());
        self.dirty.insert(namespace);
    }

    /// All namespaces are to be looked at.
    pub(super) fn look_at_all(&mut self) {
        let stores = &self.stores;
        let mut all = namespaces(&stores.knative);
        all.extend(namespaces(&stores.services));
        all.extend(namespaces(&stores.deployments));
        let filters = stores.filters.state();
        all.extend(filters.iter().filter_map(|filter| owner_namespace(&**filter).map(str::to_owned)));
        let routes = stores.routes.state();
        all.extend(routes.iter().filter_map(|route| owner_namespace(&**route).map(str::to_owned)));
        self.dirty.extend(all);
    }

    /// Whether everything was listed: before that nothing must be written, and above all nothing deleted.
    pub(super) fn is_known(&self) -> bool {
        let is_known = |watched| match watched {
            Watched::Knative => self.listed.contains(&watched) || self.without_knative,
            _ => self.listed.contains(&watched),
        };
        Watched::ALL.into_iter().all(is_known)
    }

    /// What is to be done in namespaces that changed.
    pub(super) fn decide(
        &mut self,
        settings: &Settings,
        metrics: &Metrics,
        now: &str,
    ) -> BTreeMap<String, Vec<Vec<Action>>> {
        let dirty = std::mem::take(&mut self.dirty);
        dirty
            .into_iter()
            .map(|namespace| {
                let actions = self.decide_in(&namespace, settings, metrics, now);
                (namespace, actions)
            })
            .collect()
    }

    fn decide_in(
        &mut self,
        namespace: &str,
        settings: &Settings,
        metrics: &Metrics,
        now: &str,
    ) -> Vec<Vec<Action>> {
        let stores = &self.stores;
        let (knative, services) = (of(&stores.knative, namespace), of(&stores.services, namespace));
        let (deployments, slices) = (of(&stores.deployments, namespace), of(&stores.slices, namespace));
        let filters = stores.filters.state_filter(|filter| owner_namespace(filter) == Some(namespace));
        let root = settings.root_namespace.as_str();
        let routes = stores
            .routes
            .state_filter(|route| owner_namespace(route) == Some(namespace) && routes::is_ours(route, root));
        let objects = Objects {
            knative: knative.iter().map(Arc::as_ref).collect(),
            services: services.iter().map(Arc::as_ref).collect(),
            deployments: deployments.iter().map(Arc::as_ref).collect(),
        };
        let endpoints = Endpoints::of(slices.iter().map(Arc::as_ref));
        let functions = functions(&objects, &settings.domain);
        let others = self.leaning.note(namespace, &functions);
        let other_services: Vec<_> = others.iter().flat_map(|other| of(&stores.services, other)).collect();
        let other_slices: Vec<_> = others.iter().flat_map(|other| of(&stores.slices, other)).collect();
        let theirs = self.others_routes(namespace, &functions, root);
        let around = Surroundings {
            services: services.iter().chain(&other_services).map(Arc::as_ref).collect(),
            slices: slices.iter().chain(&other_slices).map(Arc::as_ref).collect(),
            virtual_services: theirs.iter().map(Arc::as_ref).collect(),
        };
        let seen = Seen {
            namespace,
            functions,
            filters: filters.iter().map(|filter| (filter.name_any(), filter.as_ref())).collect(),
            routes: routes.iter().map(|route| (route.name_any(), route.as_ref())).collect(),
            known: Known { limits: &self.limits, endpoints: &endpoints, around: &around },
            knative_is_known: self.listed.contains(&Watched::Knative),
        };
        let (actions, gauges) = decide(&seen, &mut self.memory, settings, now);
        metrics.set(namespace, gauges);
        actions
    }

    /// The VirtualServices that others wrote, where a function asks for a route; and notes whether one does.
    fn others_routes(
        &mut self,
        namespace: &str,
        functions: &[Function],
        root: &str,
    ) -> Vec<Arc<VirtualService>> {
        if !functions.iter().any(|function| function.annotations.contains_key(ROUTE)) {
            self.routed.remove(namespace);
            return Vec::new();
        }
        self.routed.insert(namespace.to_owned());
        self.stores.routes.state_filter(|route| !routes::is_ours(route, root))
    }

    /// Limits that can't be read leave those that held.
    fn read_limits(&mut self) {
        let there = self.stores.limits.state();
        let data = there.first().and_then(|map| map.data.clone()).unwrap_or_default();
        match Limits::parse(&data) {
            Ok(limits) => self.limits = limits,
            Err(error) => {
                tracing::error!(error, "the limits stay as they were: ConfigMap {}", super::limits::NAME)
            }
        }
    }
}

fn of<K: kube::ResourceExt + Clone>(store: &Store<K>, namespace: &str) -> Vec<Arc<K>>
where
    K::DynamicType: Eq + std::hash::Hash + Clone,
{
    store.state_filter(|object| object.meta().namespace.as_deref() == Some(namespace))
}

fn namespaces<K: kube::ResourceExt + Clone>(store: &Store<K>) -> BTreeSet<String>
where
    K::DynamicType: Eq + std::hash::Hash + Clone,
{
    store.state().iter().filter_map(|object| object.namespace()).collect()
}
