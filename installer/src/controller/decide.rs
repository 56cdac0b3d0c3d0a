//! From what there is in a namespace to what is to be done in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::ResourceExt;
use steadfaas_core::policy::WrittenPolicy;

use super::action::{Action, Made};
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
}

#[derive(Debug)]
struct Rendered {
    function: Function,
    written: WrittenPolicy,
    content: Content,
}

/// What is to be done, function by function, and what there is to measure. `now` is the time as RFC 3339 has it.
pub(super) fn decide(
    seen: &Seen<'_>,
    memory: &mut Memory,
    settings: &Settings,
    now: &str,
) -> (Vec<Vec<Action>>, Vec<Gauge>) {
    let (mut todo, mut gauges, mut wanted) = (Vec::new(), Vec::new(), BTreeSet::new());
    let (mut standing_by, mut wanted_routes) = (BTreeSet::new(), routes::Wanted::default());
    for function in &seen.functions {
        let filter_name = name(function);
        if !function.is_annotated() {
            todo.push(silence(function, &filter_name, memory).into_iter().collect());
            continue;
        }
        let there = seen.filters.get(&filter_name).copied();
        let in_force = there.and_then(filters::policy);
        let mut verdict = Verdict::on(function, in_force.as_ref(), seen.known);
        if verdict.policy.is_some() {
            let led = Led::of(function, seen.known.around, &seen.routes, settings);
            verdict.findings.extend(led.finding.clone());
            wanted_routes.add(function, led);
        }
        gauges.push(Gauge { function: function.id(), redundancy: verdict.redundancy });
        let applied = apply(function, &filter_name, &verdict, there, memory, settings);
        let slices = stand_by(&verdict, &seen.known);
        standing_by.extend(verdict.slices.iter().map(ResourceExt::name_any));
        todo.push(slices.into_iter().chain(applied).chain(say(function, &verdict, memory, now)).collect());
        if verdict.policy.is_some() {
            wanted.insert(filter_name);
        }
    }
    todo.extend(wanted_routes.actions(seen, memory, settings));
    todo.extend(stand_down(seen, &standing_by).into_iter().map(|delete| vec![delete]));
    todo.extend(sweep(seen, &wanted, memory).into_iter().map(|delete| vec![delete]));
    todo.retain(|actions: &Vec<Action>| !actions.is_empty());
    (todo, gauges)
}

/// The EnvoyFilter, where it isn't as it should be.
fn apply(
    function: &Function,
    name: &str,
    verdict: &Verdict,
    there: Option<&Filter>,
    memory: &mut Memory,
    settings: &Settings,
) -> Option<Action> {
    let (written, policy) = verdict.policy.as_ref()?;
    let same = |rendered: &&Rendered| {
        rendered.written == *written
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
    };
    // A map of strings can always be written.
    let filter = filter.render().ok()?;
    let content = Content::wanted(&filter);
    let rendered =
        Rendered { function: function.clone(), written: written.clone(), content: content.clone() };
    memory.rendered.insert(name.to_owned(), rendered);
    if memory.written.holds(name, &content, there) {
        return None;
    }
    Some(Action::Apply {
        made: Made::EnvoyFilter,
        name: name.to_owned(),
        object: Box::new(filter),
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

    /// Nothing that was written counts any more: what the watches say does.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests;
