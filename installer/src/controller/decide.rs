//! From what there is in a namespace to what is to be done in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::ResourceExt;
use serde_json::value::to_raw_value;
use steadfaas_core::policy::WrittenPolicy;

use super::action::{Action, Complaint, Made};
use super::filters::{self, Content, Filter, Recent};
use super::metrics::Gauge;
use super::routes::{self, Led};
use super::settings::Settings;
use super::standby;
use super::status::Status;
use super::verdict::{Known, Verdict};
use crate::envoy_filter::{OfFunction, name};
use crate::function::{Function, STATUS};

/// What there is in one namespace.
pub(super) struct Seen<'a> {
    /// Its name.
    pub(super) namespace: &'a str,
    /// Its functions.
    pub(super) functions: Vec<Function>,
    /// The EnvoyFilters for them, by name.
    pub(super) filters: BTreeMap<String, &'a Filter>,
    /// The VirtualServices for them.
    pub(super) routes: routes::Ours<'a>,
    /// What else counts.
    pub(super) known: Known<'a>,
    /// Whether Knative's Services are known: as long as they aren't, nothing of theirs is taken away.
    pub(super) knative_is_known: bool,
}

/// What is remembered between two looks at a namespace.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// What was written lately.
    pub(super) written: Recent,
    /// What was rendered last, by name.
    rendered: HashMap<String, Rendered>,
    /// Statuses that were written and haven't come back by the watch yet, by the function's UID.
    statuses: HashMap<String, Status>,
    /// At which of a namespace's functions the next look begins.
    turn: usize,
    /// What administrators haven't been told yet.
    pub(super) complaint: Option<Complaint>,
}

#[derive(Debug)]
struct Rendered {
    function: Function,
    written: WrittenPolicy,
    extension: String,
    content: Content,
}

/// What is to be done in a namespace now.
#[derive(Debug, Default)]
pub(super) struct Decided {
    /// Function by function.
    pub(super) todo: Vec<Vec<Action>>,
    /// What there is to measure.
    pub(super) gauges: Vec<Gauge>,
    /// There was no room for all of it: the rest is for the next look.
    pub(super) has_more: bool,
}

/// What is to be done, for no more functions than there is `room` for. `now` is the time as RFC 3339 has it.
pub(super) fn decide(
    seen: &Seen<'_>,
    memory: &mut Memory,
    settings: &Settings,
    now: &str,
    room: &mut usize,
) -> Decided {
    let (mut decided, mut wanted, mut standing_by) = (Decided::default(), BTreeSet::new(), BTreeSet::new());
    let mut wanted_routes = routes::Wanted::default();
    // Each look begins elsewhere: functions that can't be written must not keep others from it.
    let (last, first) = seen.functions.split_at(memory.turn % seen.functions.len().max(1));
    for function in first.iter().chain(last) {
        let filter_name = name(function);
        let there = seen.filters.get(&filter_name).copied();
        let in_force = there.and_then(filters::policy);
        let mut verdict =
            function.is_annotated().then(|| Verdict::on(function, in_force.as_ref(), seen.known));
        if let Some(verdict) = &mut verdict {
            if verdict.policy.is_some() {
                let led = Led::of(function, seen.known.around, &seen.routes, settings);
                verdict.findings.extend(led.finding.clone());
                wanted_routes.add(function, led);
            }
            decided.gauges.push(Gauge { function: function.id(), redundancy: verdict.redundancy });
            standing_by.extend(verdict.slices.iter().map(ResourceExt::name_any));
        }
        if *room == 0 {
            decided.has_more = true;
        } else {
            let named = (function, filter_name.as_str());
            let actions = match &verdict {
                Some(verdict) => actions(named, verdict, seen, memory, settings, now),
                None => silence(function, &filter_name, memory).into_iter().collect(),
            };
            *room -= usize::from(!actions.is_empty());
            decided.todo.push(actions);
        }
        if verdict.is_some_and(|verdict| verdict.policy.is_some()) {
            wanted.insert(filter_name);
        }
    }
    if decided.has_more {
        memory.turn = memory.turn.wrapping_add(decided.todo.len());
    }
    decided.todo.extend(wanted_routes.actions(seen, memory, settings));
    decided.todo.extend(stand_down(seen, &standing_by).into_iter().map(|delete| vec![delete]));
    decided.todo.extend(sweep(seen, &wanted, memory).into_iter().map(|delete| vec![delete]));
    decided.todo.retain(|actions| !actions.is_empty());
    decided
}

/// What is to be done for one function that asks for protection, in its order.
fn actions(
    (function, name): (&Function, &str),
    verdict: &Verdict,
    seen: &Seen<'_>,
    memory: &mut Memory,
    settings: &Settings,
    now: &str,
) -> Vec<Action> {
    let there = seen.filters.get(name).copied();
    let mut actions = stand_by(verdict, &seen.known);
    let extension = seen.known.extension;
    actions.extend(extension.and_then(|uid| apply((function, name), verdict, uid, there, memory, settings)));
    actions.extend(say(function, verdict, memory, now));
    actions
}

/// The EnvoyFilter, where it isn't as it should be. Without the extension nobody reads it, and it would be left behind.
fn apply(
    (function, name): (&Function, &str),
    verdict: &Verdict,
    extension: &str,
    there: Option<&Filter>,
    memory: &mut Memory,
    settings: &Settings,
) -> Option<Action> {
    let (written, policy) = verdict.policy.as_ref()?;
    let same = |rendered: &&Rendered| {
        rendered.written == *written
            && rendered.extension == extension
            && rendered.function.upstreams == function.upstreams
            && rendered.function.uid == function.uid
    };
    if let Some(rendered) = memory.rendered.get(name).filter(same)
        && memory.written.holds(name, &rendered.content, there)
    {
        return None;
    }
    let filter = OfFunction {
        function,
        written,
        policy,
        istio: settings.istio,
        contexts: settings.contexts,
        root_namespace: &settings.root_namespace,
        extension,
    };
    // Maps of strings can always be written.
    let filter = filter.render().ok()?;
    let content = Content::wanted(&filter);
    let rendered = Rendered {
        function: function.clone(),
        written: written.clone(),
        extension: extension.to_owned(),
        content: content.clone(),
    };
    memory.rendered.insert(name.to_owned(), rendered);
    if memory.written.holds(name, &content, there) {
        return None;
    }
    Some(Action::Apply {
        made: Made::EnvoyFilter,
        name: name.to_owned(),
        object: to_raw_value(&filter).ok()?,
        content,
        is_there: there.is_some(),
    })
}

/// The EndpointSlices by which another Service stands by, where they aren't as they should be.
fn stand_by(verdict: &Verdict, known: &Known<'_>) -> Vec<Action> {
    let is_there = |wanted: &&EndpointSlice| {
        let same_name = |there: &&&EndpointSlice| {
            there.name_any() == wanted.name_any() && there.namespace() == wanted.namespace()
        };
        known.around.slices.iter().find(same_name).is_some_and(|there| standby::is_same(there, wanted))
    };
    let missing = verdict.slices.iter().filter(|wanted| !is_there(wanted));
    missing.map(|slice| Action::StandBy(Box::new(slice.clone()))).collect()
}

/// EndpointSlices of ours in this namespace that no function needs.
fn stand_down(seen: &Seen<'_>, wanted: &BTreeSet<String>) -> Vec<Action> {
    let ours = seen
        .known
        .around
        .slices
        .iter()
        .filter(|slice| standby::is_ours(slice) && slice.namespace().as_deref() == Some(seen.namespace));
    let left = ours.filter(|slice| !wanted.contains(&slice.name_any()));
    let left = left.filter(|_| seen.knative_is_known);
    left.map(|slice| Action::StandDown { namespace: seen.namespace.to_owned(), name: slice.name_any() })
        .collect()
}

/// The status, where it says something else.
fn say(function: &Function, verdict: &Verdict, memory: &mut Memory, now: &str) -> Option<Action> {
    let there = function.annotations.get(STATUS).and_then(|text| Status::read(text));
    if memory.statuses.get(&function.uid).is_some_and(|written| Some(written) == there.as_ref()) {
        memory.statuses.remove(&function.uid);
    }
    let before = memory.statuses.get(&function.uid).or(there.as_ref());
    let strategy = verdict.policy.as_ref().map(|(_, policy)| policy.strategy.as_str());
    let (status, new) = Status::next(before, strategy, &verdict.findings, now);
    if Some(&status) == before {
        return None;
    }
    let text = serde_json::to_string(&status).ok()?;
    Some(Action::Say { function: Box::new(function.clone()), status: Some(text), new })
}

/// Takes the status away from a function that asks for nothing any more.
fn silence(function: &Function, name: &str, memory: &mut Memory) -> Option<Action> {
    memory.statuses.remove(&function.uid);
    memory.rendered.remove(name);
    function.annotations.get(STATUS)?;
    Some(Action::Say { function: Box::new(function.clone()), status: None, new: Vec::new() })
}

/// EnvoyFilters for functions that are gone or ask for nothing.
fn sweep(seen: &Seen<'_>, wanted: &BTreeSet<String>, memory: &mut Memory) -> Vec<Action> {
    let left = seen.filters.iter().filter(|(name, _)| !wanted.contains(*name));
    let left = left.filter(|(name, _)| seen.knative_is_known || !name.contains(".ksvc."));
    left.map(|(name, filter)| {
        memory.rendered.remove(name);
        Action::Delete { made: Made::EnvoyFilter, name: name.clone(), uid: filter.uid() }
    })
    .collect()
}

impl Memory {
    /// A status was written.
    pub(super) fn said(&mut self, function: &Function, status: Option<&str>) {
        match status.and_then(Status::read) {
            Some(status) => self.statuses.insert(function.uid.clone(), status),
            None => self.statuses.remove(&function.uid),
        };
    }

    /// Administrators were told.
    pub(super) fn complained(&mut self, complaint: &Complaint) {
        self.complaint.take_if(|wrong| wrong == complaint);
    }

    /// Nothing that was written counts any more: what the watches say does.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
pub(super) mod tests;
