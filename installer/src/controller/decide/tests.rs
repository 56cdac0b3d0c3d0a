//! What is done in a namespace: the cases that a cluster brings.

mod routes;

use serde_json::{Value, json};

use super::*;
use crate::controller::endpoints::Endpoints;
use crate::controller::limits::Limits;
use crate::controller::placement::Surroundings;
use crate::controller::routes::{self as all_routes, VirtualService};
use crate::controller::status::About;
use crate::envoy_filter::{Contexts, IstioVersion};
use crate::function::fixtures::{object, protected, service};
use crate::function::{DEFAULT_DOMAIN, Kind, Objects, functions};

pub(in crate::controller) fn settings() -> Settings {
    Settings {
        root_namespace: "istio-system".to_owned(),
        namespace: "steadfaas-system".to_owned(),
        identity: "one".to_owned(),
        domain: DEFAULT_DOMAIN.to_owned(),
        istio: IstioVersion::DEFAULT,
        contexts: Contexts::Both,
        listen: ([127, 0, 0, 1], 0).into(),
    }
}

/// A namespace with these objects, and those beside it that its functions lean on.
struct Place {
    namespace: &'static str,
    services: Vec<Value>,
    deployments: Vec<Value>,
    routes: Vec<VirtualService>,
    filters: Vec<Filter>,
    slices: Vec<EndpointSlice>,
    knative_is_known: bool,
    extension: Option<&'static str>,
    room: usize,
    has_more: bool,
    memory: Memory,
}

impl Place {
    fn with(services: Vec<Value>) -> Self {
        Self {
            namespace: "default",
            services,
            deployments: Vec::new(),
            routes: Vec::new(),
            filters: Vec::new(),
            slices: Vec::new(),
            knative_is_known: true,
            extension: Some("of-the-extension"),
            room: usize::MAX,
            has_more: false,
            memory: Memory::default(),
        }
    }

    fn look(&mut self) -> Vec<Action> {
        let services: Vec<_> = self.services.iter().cloned().map(object).collect();
        let deployments: Vec<_> = self.deployments.iter().cloned().map(object).collect();
        let objects = Objects {
            services: services.iter().collect(),
            deployments: deployments.iter().collect(),
            ..Objects::default()
        };
        let (ours, theirs): (Vec<_>, Vec<_>) =
            self.routes.iter().partition(|route| all_routes::is_ours(route, "istio-system"));
        let (limits, endpoints) = (Limits::default(), Endpoints::default());
        let around = Surroundings::new(services.iter().collect(), self.slices.iter().collect(), theirs);
        let seen = Seen {
            namespace: self.namespace,
            functions: functions(&objects, DEFAULT_DOMAIN),
            filters: self.filters.iter().map(|filter| (filter.name_any(), filter)).collect(),
            routes: ours.into_iter().map(|route| (route.name_any(), route)).collect(),
            known: Known {
                limits: &limits,
                endpoints: &endpoints,
                around: &around,
                extension: self.extension,
            },
            knative_is_known: self.knative_is_known,
        };
        let mut room = self.room;
        let decided = decide(&seen, &mut self.memory, &settings(), "2026-01-01T00:00:00Z", &mut room);
        self.has_more = decided.has_more;
        decided.todo.concat()
    }

    /// Does what is to be done, and lets the watch bring it.
    fn settle(&mut self) {
        for action in self.look() {
            match action {
                Action::Apply { made, name, object: written, .. } => {
                    let mut written: Value = serde_json::from_str(written.get()).unwrap();
                    written["metadata"]["resourceVersion"] = "7".into();
                    written["metadata"]["uid"] = "of-what-was-written".into();
                    self.delete(made, &name);
                    match made {
                        Made::EnvoyFilter => self.filters.push(object(written)),
                        Made::VirtualService => self.routes.push(object(written)),
                    }
                }
                Action::Delete { made, name, .. } => self.delete(made, &name),
                Action::StandBy(slice) => self.slices.push(*slice),
                Action::StandDown { name, .. } => self.slices.retain(|slice| slice.name_any() != name),
                Action::Say { function, status, .. } => {
                    let objects = match function.kind {
                        Kind::Deployment => &mut self.deployments,
                        _ => &mut self.services,
                    };
                    let there = objects.iter_mut().find(|object| object["metadata"]["name"] == function.name);
                    let annotations = &mut there.unwrap()["metadata"]["annotations"];
                    match status {
                        Some(status) => annotations[STATUS] = status.into(),
                        None => drop(annotations.as_object_mut().unwrap().remove(STATUS)),
                    }
                }
                Action::Complain(complaint) => panic!("the limits are right: {complaint:?}"),
            }
        }
    }

    fn delete(&mut self, made: Made, name: &str) {
        match made {
            Made::EnvoyFilter => self.filters.retain(|filter| filter.name_any() != name),
            Made::VirtualService => self.routes.retain(|route| route.name_any() != name),
        }
    }
}

fn applied(actions: &[Action]) -> Vec<&str> {
    actions
        .iter()
        .filter_map(|action| if let Action::Apply { name, .. } = action { Some(name.as_str()) } else { None })
        .collect()
}

fn deleted(actions: &[Action]) -> Vec<&str> {
    actions
        .iter()
        .filter_map(
            |action| if let Action::Delete { name, .. } = action { Some(name.as_str()) } else { None },
        )
        .collect()
}

#[test]
fn an_annotated_function_gets_its_filter_and_status_once() {
    let mut place =
        Place::with(vec![service("fib", json!({}), protected()), service("other", json!({}), json!({}))]);
    let actions = place.look();
    assert_eq!(applied(&actions), ["steadfaas.default.service.fib"]);
    assert_eq!(actions.len(), 2, "filter and status: {actions:?}");
    place.settle();
    assert!(place.look().is_empty());
}

#[test]
fn a_restart_changes_nothing_and_says_nothing_again() {
    let mut place = Place::with(vec![service("fib", json!({}), protected())]);
    place.settle();
    place.memory.forget();
    assert!(place.look().is_empty());
}

#[test]
fn what_was_written_is_not_written_again_while_the_watch_is_late() {
    let mut place = Place::with(vec![service("fib", json!({}), protected())]);
    for action in place.look() {
        match action {
            Action::Apply { name, content, .. } => place.memory.written.wrote(name, content, "7"),
            Action::Say { function, status, .. } => place.memory.said(&function, status.as_deref()),
            other => panic!("nothing else is to be done: {other:?}"),
        }
    }
    assert!(place.look().is_empty());
}

#[test]
fn what_was_written_and_deleted_before_the_watch_showed_either_is_written_again() {
    let mut place = Place::with(vec![service("fib", json!({}), protected())]);
    for action in place.look() {
        if let Action::Apply { name, content, .. } = action {
            place.memory.written.wrote(name, content, "7");
        }
    }
    place.memory.written.seen("steadfaas.default.service.fib", Some("8"));
    assert_eq!(applied(&place.look()), ["steadfaas.default.service.fib"]);
}

#[test]
fn an_annotation_that_is_removed_takes_filter_and_status_along() {
    let mut place = Place::with(vec![service("fib", json!({}), protected())]);
    place.settle();
    place.services[0]["metadata"]["annotations"].as_object_mut().unwrap().remove("steadfaas.dev/strategy");
    assert_eq!(deleted(&place.look()), ["steadfaas.default.service.fib"]);
    place.settle();
    assert!(place.filters.is_empty() && place.look().is_empty());
    assert!(place.services[0]["metadata"]["annotations"].get(STATUS).is_none());
}

#[test]
fn many_are_written_one_part_after_the_other_even_if_the_first_ones_are_refused() {
    let all = (0..5).map(|number| service(&format!("f{number}"), json!({}), protected())).collect();
    let mut place = Place::with(all);
    place.room = 2;
    let mut refused: Vec<String> = Vec::new();
    for _ in 0..3 {
        let actions = place.look();
        assert!(place.has_more && applied(&actions).len() == 2, "{actions:?}");
        refused.extend(applied(&actions).into_iter().map(str::to_owned));
    }
    refused.sort();
    refused.dedup();
    assert_eq!(refused.len(), 5, "each had its turn");
    for _ in 0..3 {
        place.settle();
    }
    assert_eq!(place.filters.len(), 5);
    assert!(place.look().is_empty() && !place.has_more);
}

#[test]
fn a_deleted_function_leaves_no_filter() {
    let mut place = Place::with(vec![service("fib", json!({}), protected())]);
    place.settle();
    place.services.clear();
    assert_eq!(deleted(&place.look()), ["steadfaas.default.service.fib"]);
}

#[test]
fn while_knative_is_out_of_sight_its_filters_stay() {
    let mut place = Place::with(Vec::new());
    let filter = json!({ "metadata": { "name": "steadfaas.default.ksvc.fib" }, "spec": {} });
    place.filters.push(object(filter));
    place.knative_is_known = false;
    assert!(place.look().is_empty());
    place.knative_is_known = true;
    assert_eq!(deleted(&place.look()), ["steadfaas.default.ksvc.fib"]);
}

#[test]
fn a_bad_annotation_leaves_the_filter_as_it_is_and_is_said_once() {
    let mut place = Place::with(vec![service("fib", json!({}), protected())]);
    place.settle();
    place.services[0]["metadata"]["annotations"]["steadfaas.dev/tolerate"] = "9".into();
    let actions = place.look();
    let [Action::Say { new, status, .. }] = actions.as_slice() else { panic!("{actions:?}") };
    assert_eq!(new.iter().map(|finding| finding.about).collect::<Vec<_>>(), [About::Valid, About::Protected]);
    assert!(status.as_ref().unwrap().contains("`tolerate` is `9`"));
    place.settle();
    assert!(place.look().is_empty());
}

#[test]
fn somebody_elses_change_of_our_filter_is_put_back() {
    let mut place = Place::with(vec![service("fib", json!({}), protected())]);
    place.settle();
    let changed = json!({ "metadata": { "name": "steadfaas.default.service.fib", "resourceVersion": "9" }, "spec": {} });
    place.filters = vec![object(changed)];
    assert_eq!(applied(&place.look()), ["steadfaas.default.service.fib"]);
}

#[test]
fn without_the_extension_nothing_is_written_and_a_new_one_gets_all_of_it() {
    let mut place = Place::with(vec![service("fib", json!({}), protected())]);
    place.extension = None;
    let actions = place.look();
    let [Action::Say { status, .. }] = actions.as_slice() else { panic!("{actions:?}") };
    assert!(status.as_ref().unwrap().contains("NoFilter"));
    place.extension = Some("of-the-extension");
    place.settle();
    assert_eq!(place.filters.len(), 1);
    place.extension = None;
    assert_eq!(deleted(&place.look()), Vec::<&str>::new(), "Kubernetes does that");
    place.extension = Some("of-the-next-one");
    assert_eq!(applied(&place.look()), ["steadfaas.default.service.fib"]);
    place.settle();
    assert!(place.look().is_empty());
}

#[test]
fn another_service_stands_by_while_a_function_asks_for_it() {
    let mut annotations = protected();
    annotations["steadfaas.dev/standby-service"] = "spare.default".into();
    let mut place =
        Place::with(vec![service("fib", json!({}), annotations), service("spare", json!({}), json!({}))]);
    place.slices.push(object(json!({
        "metadata": { "name": "spare-x", "namespace": "default", "labels": { "kubernetes.io/service-name": "spare" } },
        "addressType": "IPv4",
        "endpoints": [{ "addresses": ["10.0.0.9"] }],
        "ports": [{ "name": "http", "port": 8080 }],
    })));
    place.settle();
    assert_eq!(place.slices.len(), 2);
    assert!(place.look().is_empty());
    let policy = filters::policy(&place.filters[0]).unwrap();
    assert_eq!(policy.placement.standby, ["10.0.0.9:8080"]);
    place.services[0]["metadata"]["annotations"]
        .as_object_mut()
        .unwrap()
        .remove("steadfaas.dev/standby-service");
    place.settle();
    assert_eq!(place.slices.len(), 1, "it stands by no more");
    assert!(place.look().is_empty());
}
