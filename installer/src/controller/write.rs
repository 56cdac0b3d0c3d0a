//! Does to a cluster what was decided.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{Api, DeleteParams, Patch, PatchParams, Preconditions};
use kube::core::DynamicObject;
use kube::discovery::ApiResource;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, ResourceExt as _};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use thiserror::Error;

use super::action::{Action, Complaint, Made};
use super::decide::Memory;
use super::filters::{Content, Filter};
use super::metrics::Metrics;
use super::settings::Settings;
use super::status::Finding;
use crate::access::in_words;
use crate::envoy_filter::PART;
use crate::function::{Function, Kind, STATUS, knative};

/// Who owns the fields that the controller writes.
pub const FIELD_MANAGER: &str = "steadfaas-controller";

/// Longest wait for one answer: an API server that answers at all does within a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest note that an Event takes, in bytes.
const MAX_NOTE: usize = 1_000;

/// Why something couldn't be done.
#[derive(Debug, Error)]
pub(super) enum WriteError {
    #[error("{what} can't be written: {}", in_words(error))]
    Api { what: String, error: kube::Error },
    #[error("{what}: the API server doesn't answer")]
    Silent { what: String },
    #[error("the {made} {name} is there but isn't ours: rename or delete it")]
    NotOurs { made: Made, name: String },
}

/// What was done.
pub(super) enum Done {
    Applied {
        name: String,
        content: Content,
        version: String,
    },
    Deleted {
        name: String,
    },
    /// It needn't be remembered: writing it again changes nothing.
    StoodByOrDown,
    Said {
        function: Box<Function>,
        status: Option<String>,
    },
    Complained(Complaint),
}

impl Done {
    /// Remembers it until the watches bring it.
    pub(super) fn remember(self, memory: &mut Memory) {
        match self {
            Self::Applied { name, content, version } => memory.written.wrote(name, content, &version),
            Self::Deleted { name } => memory.written.deleted(&name),
            Self::StoodByOrDown => {}
            Self::Said { function, status } => memory.said(&function, status.as_deref()),
            Self::Complained(complaint) => memory.complained(&complaint),
        }
    }
}

/// Writes to the API server.
#[derive(Clone)]
pub(super) struct Writer {
    client: Client,
    root_namespace: String,
    recorder: Recorder,
    metrics: Arc<Metrics>,
}

impl Writer {
    pub(super) fn new(client: &Client, settings: &Settings, metrics: &Arc<Metrics>) -> Self {
        let reporter =
            Reporter { controller: "steadfaas".to_owned(), instance: Some(settings.identity.clone()) };
        Self {
            client: client.clone(),
            root_namespace: settings.root_namespace.clone(),
            recorder: Recorder::new(client.clone(), reporter),
            metrics: Arc::clone(metrics),
        }
    }

    /// Does it.
    pub(super) async fn perform(&self, action: Action) -> Result<Done, WriteError> {
        let done = match action {
            Action::Apply { made, name, object, content, is_there } => {
                self.apply(made, name, &object, content, is_there).await
            }
            Action::Delete { made, name, uid } => self.delete(made, name, uid).await,
            Action::StandBy(slice) => self.stand_by(&slice).await,
            Action::StandDown { namespace, name } => self.stand_down(&namespace, &name).await,
            Action::Say { function, status, new } => self.say(function, status, &new).await,
            Action::Complain(complaint) => self.complain(complaint).await,
        };
        if done.is_err() {
            self.metrics.failures.fetch_add(1, Ordering::Relaxed);
        }
        done
    }

    async fn apply(
        &self,
        made: Made,
        name: String,
        object: &RawValue,
        content: Content,
        is_there: bool,
    ) -> Result<Done, WriteError> {
        let what = || format!("the {made} {name}");
        let objects = self.objects(made);
        // What seems not to be there is written without force: of a namesake whose fields somebody else owns, the API
        // server says so, and leaves it as it is. Asking first would cost each new function one call more.
        let params = PatchParams { force: is_there, ..PatchParams::apply(FIELD_MANAGER) };
        let patch = Patch::Apply(object);
        let mut written = match patiently(what(), objects.patch(&name, &params, &patch)).await {
            Err(WriteError::Api { error: kube::Error::Api(status), .. })
                if !is_there && status.code == 409 =>
            {
                let other = patiently(what(), objects.get_opt(&name)).await?;
                if other.is_some_and(|other| !is_ours(&other)) {
                    return Err(WriteError::NotOurs { made, name });
                }
                patiently(what(), objects.patch(&name, &params.force(), &patch)).await?
            }
            written => written?,
        };
        if !content.is(&written) {
            // What somebody else added stays when ours is applied.
            written = patiently(what(), replace_spec(&objects, &name, object)).await?;
        }
        self.count(made);
        tracing::info!(name, "{made} written");
        Ok(Done::Applied { name, content, version: written.resource_version().unwrap_or_default() })
    }

    async fn delete(&self, made: Made, name: String, uid: Option<String>) -> Result<Done, WriteError> {
        let preconditions = Some(Preconditions { uid, ..Preconditions::default() });
        let params = DeleteParams { preconditions, ..DeleteParams::default() };
        let objects = self.objects(made);
        gone_is_fine(patiently(format!("the {made} {name}"), objects.delete(&name, &params)).await)?;
        self.count(made);
        tracing::info!(name, "{made} deleted");
        Ok(Done::Deleted { name })
    }

    /// Whatever their kind, no more is kept of them than of a [`Filter`].
    fn objects(&self, made: Made) -> Api<Filter> {
        Api::namespaced_with(self.client.clone(), &self.root_namespace, &made.resource())
    }

    /// A write of this kind.
    fn count(&self, made: Made) {
        let writes = match made {
            Made::EnvoyFilter => &self.metrics.filter_writes,
            Made::VirtualService => &self.metrics.route_writes,
        };
        writes.fetch_add(1, Ordering::Relaxed);
    }

    async fn stand_by(&self, slice: &EndpointSlice) -> Result<Done, WriteError> {
        let (name, namespace) = (slice.name_any(), slice.namespace().unwrap_or_default());
        let api: Api<EndpointSlice> = Api::namespaced(self.client.clone(), &namespace);
        let params = PatchParams::apply(FIELD_MANAGER).force();
        patiently(format!("the EndpointSlice {name}"), api.patch(&name, &params, &Patch::Apply(slice)))
            .await?;
        tracing::info!(namespace, slice = name, "EndpointSlice written: another service stands by");
        Ok(Done::StoodByOrDown)
    }

    async fn stand_down(&self, namespace: &str, name: &str) -> Result<Done, WriteError> {
        let api: Api<EndpointSlice> = Api::namespaced(self.client.clone(), namespace);
        let params = DeleteParams::default();
        gone_is_fine(patiently(format!("the EndpointSlice {name}"), api.delete(name, &params)).await)?;
        tracing::info!(namespace, slice = name, "EndpointSlice deleted");
        Ok(Done::StoodByOrDown)
    }

    async fn say(
        &self,
        function: Box<Function>,
        status: Option<String>,
        new: &[Finding],
    ) -> Result<Done, WriteError> {
        let annotations = status.as_ref().map_or_else(|| json!({}), |status| json!({ (STATUS): status }));
        let object = json!({
            "apiVersion": function.kind.api_version(),
            "kind": function.kind.kind(),
            // With another UID it is another object, and none must be made.
            "metadata": { "name": function.name, "uid": function.uid, "annotations": annotations },
        });
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), &function.namespace, &resource(function.kind));
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let what = format!("the status of {}", function.id());
        gone_is_fine(patiently(what, api.patch(&function.name, &params, &Patch::Apply(&object))).await)?;
        self.metrics.status_writes.fetch_add(1, Ordering::Relaxed);
        self.tell(&function, new).await;
        Ok(Done::Said { function, status })
    }

    /// Events on the function: each problem has its own, for people look for its reason; what is well is one. An Event
    /// that is lost is no harm: the status says the same.
    async fn tell(&self, function: &Function, new: &[Finding]) {
        let (well, problems): (Vec<&Finding>, Vec<&Finding>) =
            new.iter().filter(|finding| finding.is_worth_an_event()).partition(|finding| finding.holds);
        for finding in problems {
            self.tell_one(function, EventType::Warning, finding.reason, &finding.message).await;
        }
        if let Some(first) = well.first() {
            let words: Vec<&str> = well.iter().map(|finding| finding.message.as_str()).collect();
            self.tell_one(function, EventType::Normal, first.reason, &words.join("; ")).await;
        }
    }

    async fn tell_one(&self, function: &Function, kind: EventType, reason: &str, words: &str) {
        let event = event(kind, "Protect", reason, words);
        if let Err(error) = self.publish(&event, &function.reference()).await {
            tracing::warn!(function = function.id(), %error, "no Event");
        }
    }

    async fn complain(&self, complaint: Complaint) -> Result<Done, WriteError> {
        let event = event(EventType::Warning, "Limit", "BadLimits", &complaint.words);
        self.publish(&event, &complaint.about).await?;
        Ok(Done::Complained(complaint))
    }

    async fn publish(&self, event: &Event, about: &ObjectReference) -> Result<(), WriteError> {
        patiently("an Event".to_owned(), self.recorder.publish(event, about)).await
    }
}

fn event(type_: EventType, action: &str, reason: &str, words: &str) -> Event {
    let end = words.floor_char_boundary(MAX_NOTE);
    Event {
        type_,
        reason: reason.to_owned(),
        note: words.get(..end).map(str::to_owned),
        action: action.to_owned(),
        secondary: None,
    }
}

/// Whether we wrote it: somebody may have taken the label away.
async fn replace_spec(objects: &Api<Filter>, name: &str, object: &RawValue) -> kube::Result<Filter> {
    let patch = || {
        let object: Value = serde_json::from_str(object.get())?;
        serde_json::from_value(json!([{ "op": "replace", "path": "/spec", "value": object.get("spec") }]))
    };
    let all = patch().map_err(kube::Error::SerdeError)?;
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    objects.patch(name, &params, &Patch::Json::<()>(all)).await
}

fn is_ours(filter: &Filter) -> bool {
    let by_us = |fields: &ManagedFieldsEntry| fields.manager.as_deref() == Some(FIELD_MANAGER);
    filter.labels().contains_key(PART) || filter.managed_fields().iter().any(by_us)
}

/// An object that is gone, or is another one by now, needs nothing done to it.
fn gone_is_fine<T>(done: Result<T, WriteError>) -> Result<(), WriteError> {
    match done {
        Err(WriteError::Api { error: kube::Error::Api(status), .. }) if matches!(status.code, 404 | 409) => {
            Ok(())
        }
        other => other.map(drop),
    }
}

async fn patiently<T>(what: String, asked: impl Future<Output = kube::Result<T>>) -> Result<T, WriteError> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(|error| WriteError::Api { what, error }),
        Err(_) => Err(WriteError::Silent { what }),
    }
}

fn resource(kind: Kind) -> ApiResource {
    match kind {
        Kind::KnativeService => knative::resource(),
        Kind::Deployment => ApiResource::erase::<k8s_openapi::api::apps::v1::Deployment>(&()),
        Kind::Service => ApiResource::erase::<k8s_openapi::api::core::v1::Service>(&()),
    }
}
