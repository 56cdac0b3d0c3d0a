//! All that is known of the cluster, and what is to be done in it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Resource as _, ResourceExt as _};

use super::action::{Action, Complaint};
use super::decide::{Decided, Memory, Seen, decide};
use super::endpoints::Endpoints;
use super::filters::Filter;
use super::limits::{self, Limits};
use super::metrics::Metrics;
use super::placement::{Leaning, Surroundings};
use super::routes::{self, VirtualService};
use super::settings::Settings;
use super::verdict::Known;
use super::watches::{Change, Stores, Watched};
use crate::envoy_filter::{self, owner_namespace};
use crate::filter::PLUGIN;
use crate::function::{Function, Objects, ROUTE, functions};

/// For so many functions something is done at once at most. What is to be written of thousands would take more memory than
/// all else that is known of them, and what changes meanwhile would wait for all of it.
const MOST_AT_ONCE: usize = 250;

/// All that is known of the cluster.
pub(super) struct World {
    stores: Stores,
    listed: HashSet<Watched>,
    /// The cluster has no Knative, as far as anybody knows.
    without_knative: bool,
    limits: Limits,
    /// Namespaces to look at.
    dirty: BTreeSet<String>,
    /// Of which a part is decided: the rest comes when that is done.
    unfinished: BTreeSet<String>,
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
            unfinished: BTreeSet::new(),
            leaning: Leaning::default(),
            routed: BTreeSet::new(),
            memory: Memory::default(),
        }
    }

    /// Another one may have written meanwhile: nothing counts but what the watches say.
    pub(super) fn take_over(&mut self) {
        self.memory.forget();
        self.read_limits();
        self.look_at_all();
    }

    /// Takes note of a change.
    pub(super) fn note(&mut self, change: Change) {
        match change {
            Change::Namespace(namespace) => self.look_at(namespace),
            Change::Filter { name, version } => {
                self.memory.written.seen(&name, version.as_deref());
                match owner_namespace(&name) {
                    Some(namespace) => self.look_at(namespace.to_owned()),
                    // All others go with it.
                    None => self.look_at_all(),
                }
            }
            Change::Listed(watched) => {
                self.listed.insert(watched);
                match watched {
                    Watched::Limits => self.read_limits(),
                    Watched::Filters | Watched::Routes => self.memory.written.listed(),
                    _ => {}
                }
                self.look_at_all();
            }
            Change::Unknown(_) => {
                tracing::info!("there is no Knative here");
                self.without_knative = true;
                self.look_at_all();
            }
            Change::Route { name, version } => {
                self.memory.written.seen(&name, version.as_deref());
                self.dirty.extend(owner_namespace(&name).map(str::to_owned));
                self.dirty.extend(self.routed.iter().cloned());
            }
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
    fn look_at_all(&mut self) {
        let stores = &self.stores;
        let mut all = namespaces(&stores.knative);
        all.extend(namespaces(&stores.services));
        all.extend(namespaces(&stores.deployments));
        let filters = stores.filters.state();
        all.extend(filters.iter().filter_map(|filter| namespace_of(&**filter).map(str::to_owned)));
        let routes = stores.routes.state();
        all.extend(routes.iter().filter_map(|route| namespace_of(&**route).map(str::to_owned)));
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
        let (mut todo, mut room) = (BTreeMap::<_, Vec<_>>::new(), MOST_AT_ONCE);
        for namespace in std::mem::take(&mut self.dirty) {
            let decided = self.decide_in(&namespace, settings, now, &mut room);
            metrics.set(&namespace, decided.gauges);
            if decided.has_more {
                self.unfinished.insert(namespace.clone());
            }
            todo.insert(namespace, decided.todo);
        }
        if let Some(complaint) = self.memory.complaint.clone() {
            todo.entry(settings.namespace.clone()).or_default().push(vec![Action::Complain(complaint)]);
        }
        todo
    }

    /// What was decided is done, but in those namespaces that failed, which have to wait.
    pub(super) fn done(&mut self, failed: &BTreeSet<String>) {
        self.dirty
            .extend(std::mem::take(&mut self.unfinished).into_iter().filter(|name| !failed.contains(name)));
    }

    /// Whether there is something to look at.
    pub(super) fn has_more(&self) -> bool {
        !self.dirty.is_empty()
    }

    fn decide_in(&mut self, namespace: &str, settings: &Settings, now: &str, room: &mut usize) -> Decided {
        let stores = &self.stores;
        let (knative, services) = (of(&stores.knative, namespace), of(&stores.services, namespace));
        let (deployments, slices) = (of(&stores.deployments, namespace), of(&stores.slices, namespace));
        let filters = stores.filters.state_filter(|filter| namespace_of(filter) == Some(namespace));
        let root = settings.root_namespace.as_str();
        let routes = stores
            .routes
            .state_filter(|route| namespace_of(route) == Some(namespace) && routes::is_ours(route, root));
        let objects = Objects {
            knative: knative.iter().map(Arc::as_ref).collect(),
            services: services.iter().map(Arc::as_ref).collect(),
            deployments: deployments.iter().map(Arc::as_ref).collect(),
        };
        let extension = extension(&stores.filters, settings);
        let endpoints = Endpoints::of(slices.iter().map(Arc::as_ref));
        let functions = functions(&objects, &settings.domain);
        let others = self.leaning.note(namespace, &functions);
        let other_services: Vec<_> = others.iter().flat_map(|other| of(&stores.services, other)).collect();
        let other_slices: Vec<_> = others.iter().flat_map(|other| of(&stores.slices, other)).collect();
        let theirs = self.others_routes(namespace, &functions, root);
        let around = Surroundings::new(
            services.iter().chain(&other_services).map(Arc::as_ref).collect(),
            slices.iter().chain(&other_slices).map(Arc::as_ref).collect(),
            theirs.iter().map(Arc::as_ref).collect(),
        );
        let seen = Seen {
            namespace,
            functions,
            filters: filters.iter().map(|filter| (filter.name_any(), filter.as_ref())).collect(),
            routes: routes.iter().map(|route| (route.name_any(), route.as_ref())).collect(),
            known: Known {
                limits: &self.limits,
                endpoints: &endpoints,
                around: &around,
                extension: extension.as_deref(),
            },
            knative_is_known: self.listed.contains(&Watched::Knative),
        };
        decide(&seen, &mut self.memory, settings, now, room)
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
        let map = there.first();
        let wrong = self.limits.read(map.and_then(|map| map.data.as_ref()).unwrap_or(&BTreeMap::new()));
        self.memory.complaint = map.filter(|_| !wrong.is_empty()).map(|map| {
            let words = format!("{}; what was right before stays in force", wrong.join("; "));
            tracing::warn!(configmap = limits::NAME, words, "bad limits");
            Complaint { about: map.object_ref(&()), words }
        });
    }
}

/// The UID of the EnvoyFilter with the extension, unless it is being deleted.
fn extension(filters: &Store<Filter>, settings: &Settings) -> Option<String> {
    let name = ObjectRef::new_with(PLUGIN, envoy_filter::resource()).within(&settings.root_namespace);
    filters.get(&name).filter(|filter| filter.metadata.deletion_timestamp.is_none())?.uid()
}

fn namespace_of(object: &impl kube::Resource) -> Option<&str> {
    owner_namespace(object.meta().name.as_deref()?)
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

#[cfg(test)]
mod tests;
