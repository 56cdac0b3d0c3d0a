//! `steadfaas.dev/route: gateway`: where calls of OpenFaaS' gateway for a function come in, and the VirtualServices that lead
//! them to it.

mod theirs;

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt as _;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

use super::action::{Action, Made};
use super::decide::{Memory, Seen};
use super::filters::Content;
use super::placement::Surroundings;
use super::settings::Settings;
use super::status::{About, Finding};
use crate::envoy_filter::PART;
use crate::function::{Function, OpenFaasGateway};
use crate::virtual_service::{Entrance, MESH, paths};
pub(super) use theirs::VirtualService;
use theirs::{Leads, in_words};

/// Whether it is one of those made here. `root_namespace` is where they are.
pub(super) fn is_ours(object: &VirtualService, root_namespace: &str) -> bool {
    object.labels().contains_key(PART) && object.namespace().as_deref() == Some(root_namespace)
}

/// Our VirtualServices of one namespace, by name.
pub(super) type Ours<'a> = BTreeMap<String, &'a VirtualService>;

/// What becomes of a function's wish for a route.
#[derive(Debug, Default)]
pub(super) struct Led {
    /// Where calls for it come in that are to be led to it.
    entrances: Vec<Entrance>,
    /// What to say; nothing as long as nothing is asked for, or what is needed was not written yet.
    pub(super) finding: Option<Finding>,
}

impl Led {
    /// For a function that is protected.
    pub(super) fn of(
        function: &Function,
        around: &Surroundings<'_>,
        ours: &Ours<'_>,
        settings: &Settings,
    ) -> Self {
        let refused = |reason, words| Self {
            entrances: Vec::new(),
            finding: Some(Finding::bad(About::Routed, reason, words)),
        };
        let gateway = match function.route() {
            Ok(None) => return Self::default(),
            Ok(Some(gateway)) => gateway,
            Err(error) => return refused("BadRoute", error.to_string()),
        };
        if !around.services.iter().any(|service| gateway.is(service)) {
            let words = format!("`route` is `gateway`: there is no Service {}", gateway.in_words());
            return refused("NoGateway", words);
        }
        let found = Found::of(function, &gateway, around, settings);
        let finding = found.finding(function, &gateway, ours);
        Self { entrances: found.entrances, finding }
    }
}

/// Where calls come in, and why some can't be led.
#[derive(Debug, Default)]
struct Found {
    entrances: Vec<Entrance>,
    problems: Vec<String>,
}

impl Found {
    fn of(
        function: &Function,
        gateway: &OpenFaasGateway,
        around: &Surroundings<'_>,
        settings: &Settings,
    ) -> Self {
        let (mut found, host) = (Self::default(), gateway.host(&settings.domain));
        if settings.contexts.has_sidecars() {
            found.add_mesh(host.clone(), around, &settings.domain);
        }
        if settings.contexts.has_gateways() {
            for object in &around.virtual_services {
                found.add_ingress(object, function, &host, &settings.domain);
            }
        }
        found
    }

    /// Calls within the mesh, unless somebody else says already where they go.
    fn add_mesh(&mut self, host: String, around: &Surroundings<'_>, domain: &str) {
        let theirs = around.virtual_services.iter().find(|object| theirs::is_for_mesh(object, &host, domain));
        if let Some(theirs) = theirs {
            self.problems.push(format!(
                "{} has {host} within the mesh, where Istio heeds only one: a route to the function's Service in it, \
                 or its deletion, would be right",
                in_words(theirs)
            ));
            return;
        }
        let (gateways, hosts) = (vec![MESH.to_owned()], vec![host.clone()]);
        let others = Some(host);
        self.entrances.push(Entrance { name: MESH.to_owned(), hosts, gateways, fields: Map::new(), others });
    }

    /// Calls that somebody's VirtualService leads from an ingress gateway to that of OpenFaaS.
    fn add_ingress(&mut self, object: &VirtualService, function: &Function, host: &str, domain: &str) {
        let gateways = theirs::gateways(object);
        if gateways.is_empty() {
            return;
        }
        match theirs::leads(object, &paths(function), host, domain) {
            Leads::Elsewhere => {}
            Leads::Otherwise => self.problems.push(format!(
                "{} leads its calls to OpenFaaS' gateway by a match, which Istio puts before our route: one without a \
                 match, or with the prefix `/`, would be right",
                in_words(object)
            )),
            Leads::ByDefault(route) => self.entrances.push(Entrance {
                name: format!("{}.{}", object.namespace().unwrap_or_default(), object.name_any()),
                hosts: theirs::hosts(object, domain).collect(),
                gateways,
                fields: theirs::kept(route),
                others: None,
            }),
        }
    }

    fn finding(&self, function: &Function, gateway: &OpenFaasGateway, ours: &Ours<'_>) -> Option<Finding> {
        if !self.problems.is_empty() {
            let words = format!("`route` is `gateway`: {}", self.problems.join("; "));
            return Some(Finding::bad(About::Routed, "RouteTaken", words));
        }
        if self.entrances.is_empty() {
            let words = format!(
                "`route` is `gateway`: no VirtualService leads from a gateway of Istio's to {}",
                gateway.in_words()
            );
            return Some(Finding::bad(About::Routed, "NothingToLead", words));
        }
        let is_there = |entrance: &Entrance| {
            let there = ours.get(&entrance.object_name(&function.namespace));
            there.is_some_and(|there| theirs::names(there, &function.name))
        };
        let places = self.entrances.iter().map(|entrance| entrance.hosts.join(", "));
        let words = format!(
            "calls of {} are led to its Service: those for {}",
            paths(function).join(" and "),
            places.collect::<Vec<_>>().join(", ")
        );
        self.entrances.iter().all(is_there).then(|| Finding::good(About::Routed, "Routed", words))
    }
}

/// The VirtualServices of a namespace, as they are to be.
#[derive(Debug, Default)]
pub(super) struct Wanted<'a> {
    /// By name: where calls come in, and for which functions.
    routes: BTreeMap<String, (Entrance, Vec<&'a Function>)>,
}

impl<'a> Wanted<'a> {
    /// Calls of this function are to be led so.
    pub(super) fn add(&mut self, function: &'a Function, led: Led) {
        for entrance in led.entrances {
            let name = entrance.object_name(&function.namespace);
            self.routes.entry(name).or_insert_with(|| (entrance, Vec::new())).1.push(function);
        }
    }

    /// What is to be done for that: each by itself, for one has nothing to do with the other.
    pub(super) fn actions(
        self,
        seen: &Seen<'_>,
        memory: &mut Memory,
        settings: &Settings,
    ) -> Vec<Vec<Action>> {
        let names: BTreeSet<String> = self.routes.keys().cloned().collect();
        let written = self.routes.into_iter().filter_map(|(name, (entrance, functions))| {
            let extension = seen.known.extension?;
            let object = entrance.render(seen.namespace, &functions, &settings.root_namespace, extension);
            write(name, &object, seen, memory)
        });
        let written: Vec<Action> = written.collect();
        let left = seen.routes.iter().filter(|(name, _)| !names.contains(*name));
        let swept = left.map(|(name, object)| Action::Delete {
            made: Made::VirtualService,
            name: name.clone(),
            uid: object.uid(),
        });
        written.into_iter().chain(swept).map(|action| vec![action]).collect()
    }
}

/// Writes it, where it isn't as it should be.
fn write(name: String, object: &Value, seen: &Seen<'_>, memory: &mut Memory) -> Option<Action> {
    let there = seen.routes.get(&name).copied();
    let content = Content::wanted(object);
    if memory.written.holds(&name, &content, there) {
        return None;
    }
    Some(Action::Apply {
        made: Made::VirtualService,
        name,
        object: to_raw_value(object).ok()?,
        content,
        is_there: there.is_some(),
    })
}
