//! What is noted of changes, and what follows.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::*;
use crate::controller::decide::tests::settings;
use crate::function::fixtures::{object, protected, service};
use crate::function::knative;
use crate::virtual_service;

/// A cluster with one function and the extension; its ConfigMap and EnvoyFilters may change.
struct Cluster {
    world: World,
    limits: Writer<ConfigMap>,
    filters: Writer<Filter>,
}

impl Cluster {
    fn new() -> Self {
        let (mut services, mut filters) = (Writer::new(()), Writer::new(envoy_filter::resource()));
        let limits = Writer::new(());
        services.apply_watcher_event(&Event::Apply(object(service("fib", json!({}), protected()))));
        let metadata = json!({ "name": PLUGIN, "namespace": "istio-system", "uid": "of-the-extension" });
        filters.apply_watcher_event(&Event::Apply(object(json!({ "metadata": metadata, "spec": {} }))));
        let stores = Stores {
            knative: Writer::new(knative::resource()).as_reader(),
            services: services.as_reader(),
            deployments: Writer::new(()).as_reader(),
            slices: Writer::new(()).as_reader(),
            filters: filters.as_reader(),
            routes: Writer::new(virtual_service::resource()).as_reader(),
            limits: limits.as_reader(),
        };
        let mut world = World::new(stores);
        Watched::ALL.into_iter().for_each(|watched| world.note(Change::Listed(watched)));
        Self { world, limits, filters }
    }

    fn look(&mut self) -> Vec<Action> {
        let todo = self.world.decide(&settings(), &Metrics::default(), "2026-01-01T00:00:00Z");
        todo.into_values().flatten().flatten().collect()
    }

    fn limit(&mut self, entry: &str) {
        let map = json!({
            "metadata": { "name": limits::NAME, "namespace": "steadfaas-system", "resourceVersion": entry },
            "data": { "default": entry },
        });
        self.limits.apply_watcher_event(&Event::Apply(object(map)));
        self.world.note(Change::Limits);
    }

    /// Writes what is to be written, at this version. Says what the watch will bring.
    fn write(&mut self, version: &str) -> Vec<Filter> {
        let mut written = Vec::new();
        for action in self.look() {
            match action {
                Action::Apply { name, object: filter, content, .. } => {
                    let mut filter: Value = serde_json::from_str(filter.get()).unwrap();
                    filter["metadata"]["resourceVersion"] = version.into();
                    written.push(object(filter));
                    self.world.memory.written.wrote(name, content, version);
                }
                Action::Say { function, status, .. } => {
                    self.world.memory.said(&function, status.as_deref());
                }
                other => panic!("nothing else is to be done: {other:?}"),
            }
        }
        written
    }

    fn bring(&mut self, event: &Event<Filter>, version: &str) {
        self.filters.apply_watcher_event(event);
        let name = "steadfaas.default.service.fib".to_owned();
        self.world.note(Change::Filter { name, version: Some(version.to_owned()) });
    }
}

#[test]
fn a_filter_that_was_deleted_before_anybody_saw_it_written_is_written_again() {
    let mut cluster = Cluster::new();
    let written = cluster.write("7").remove(0);
    assert!(cluster.write("8").is_empty());
    cluster.bring(&Event::Apply(written.clone()), "7");
    cluster.bring(&Event::Delete(written), "9");
    assert_eq!(cluster.write("10").len(), 1);
}

#[test]
fn a_filter_that_is_in_no_new_list_is_written_again() {
    let mut cluster = Cluster::new();
    assert_eq!(cluster.write("7").len(), 1);
    cluster.world.note(Change::Listed(Watched::Filters));
    assert_eq!(cluster.write("8").len(), 1);
}

#[test]
fn an_extension_that_is_being_deleted_is_none() {
    let mut cluster = Cluster::new();
    let deleted = json!({
        "metadata": {
            "name": PLUGIN,
            "namespace": "istio-system",
            "uid": "of-the-extension",
            "deletionTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {},
    });
    cluster.filters.apply_watcher_event(&Event::Apply(object(deleted)));
    cluster.world.note(Change::Filter { name: PLUGIN.to_owned(), version: None });
    assert!(cluster.write("7").is_empty());
}

#[test]
fn administrators_are_told_of_wrong_limits_until_it_worked() {
    let complaints = |actions: Vec<Action>| -> Vec<Complaint> {
        let complaint =
            |action| if let Action::Complain(complaint) = action { Some(complaint) } else { None };
        actions.into_iter().filter_map(complaint).collect()
    };
    let mut cluster = Cluster::new();
    cluster.write("7");
    cluster.limit("tolerate: many");
    let said = complaints(cluster.look()).remove(0);
    assert!(
        said.words.starts_with("entry `default`: `tolerate` is `many`: a whole number"),
        "{}",
        said.words
    );
    assert_eq!(said.about.name.as_deref(), Some(limits::NAME));
    assert_eq!(complaints(cluster.look()), std::slice::from_ref(&said), "the Event couldn't be written");
    cluster.world.memory.complained(&said);
    assert_eq!(complaints(cluster.look()), []);
    cluster.limit("tolerate: much");
    assert_eq!(complaints(cluster.look()).len(), 1);
    cluster.limit("tolerate: 2");
    assert_eq!(complaints(cluster.look()), []);
}
