//! What is to be done for one function, and what is to be said of it.

use k8s_openapi::api::discovery::v1::EndpointSlice;
use steadfaas_core::policy::{Policy, PolicyError, WrittenPolicy};

use super::endpoints::Endpoints;
use super::limits::{Limits, Refusal};
use super::placement::{Placed, Surroundings};
use super::status::{About, Finding};
use crate::function::{Function, Platform};

/// What is known when it is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) limits: &'a Limits,
    pub(super) endpoints: &'a Endpoints<'a>,
    pub(super) around: &'a Surroundings<'a>,
    /// The UID of the EnvoyFilter that brings proxies the filter; none: no proxy has it.
    pub(super) extension: Option<&'a str>,
}

/// What is to be done for one function, and what is to be said of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    /// The policy that proxies are to have; none: they are to have none.
    pub(super) policy: Option<(WrittenPolicy, Policy)>,
    /// What makes another Service stand by for it.
    pub(super) slices: Vec<EndpointSlice>,
    /// How many replicas may fail now, and how many should: of a function that is protected.
    pub(super) redundancy: Option<(u8, u8)>,
    /// What to say.
    pub(super) findings: Vec<Finding>,
}

impl Verdict {
    /// On a function that asks for protection. `in_force` is the policy that proxies have of it.
    pub(super) fn on(function: &Function, in_force: Option<&WrittenPolicy>, known: Known<'_>) -> Self {
        let (policy, valid) = match asked(function, in_force, known.limits) {
            Ok(policy) => (
                Some(policy),
                Finding::good(About::Valid, "AsWritten", "the annotations are right".to_owned()),
            ),
            Err(wrong) => (last_good(function, &wrong, in_force, known.limits), wrong.finding()),
        };
        let mut policy = policy.filter(|_| !function.upstreams.is_empty());
        let mut findings =
            vec![valid.clone(), protected(function, policy.as_ref(), valid.holds, known.extension.is_some())];
        let (mut redundancy, mut slices) = (None, Vec::new());
        if let Some((written, policy)) = &mut policy {
            let placed = Placed::of(function, written, known.around);
            (written.placement, slices) = (placed.placement, placed.slices);
            findings.extend(placed.finding);
            let (spare, wanted) = (known.endpoints.redundancy(function, policy.tolerate), policy.tolerate);
            redundancy = Some((spare, wanted));
            findings.push(redundant(spare, wanted));
            if function.platform == Platform::Knative {
                findings.push(direct(known.endpoints.has_activator(function)));
            }
        }
        Self { policy, slices, redundancy, findings }
    }
}

/// Why a function doesn't get what its annotations ask for.
enum Wrong {
    Annotation(PolicyError),
    Limit(Refusal),
}

impl Wrong {
    fn finding(&self) -> Finding {
        match self {
            Self::Annotation(error) => Finding::bad(About::Valid, "BadAnnotation", error.to_string()),
            Self::Limit(Refusal::Over(words)) => Finding::bad(About::Valid, "OverLimit", words.clone()),
            Self::Limit(Refusal::Unknown(words)) => Finding::bad(About::Valid, "LimitUnknown", words.clone()),
        }
    }
}

fn asked(
    function: &Function,
    in_force: Option<&WrittenPolicy>,
    limits: &Limits,
) -> Result<(WrittenPolicy, Policy), Wrong> {
    let written = function.written();
    let policy = Policy::compile(&written).map_err(Wrong::Annotation)?;
    let is_in_force = in_force.is_some_and(|in_force| in_force.settings == written.settings);
    match limits.check(&function.namespace, &policy) {
        Ok(()) => Ok((written, policy)),
        Err(Refusal::Unknown(_)) if is_in_force => Ok((written, policy)),
        Err(refusal) => Err(Wrong::Limit(refusal)),
    }
}

/// What holds while the annotations are wrong: what held before, unless the strategy was taken away, which ends it.
fn last_good(
    function: &Function,
    wrong: &Wrong,
    in_force: Option<&WrittenPolicy>,
    limits: &Limits,
) -> Option<(WrittenPolicy, Policy)> {
    if matches!(wrong, Wrong::Annotation(PolicyError::NoStrategy)) {
        return None;
    }
    let written = in_force?;
    let policy = Policy::compile(written).ok()?;
    let is_over = matches!(limits.check(&function.namespace, &policy), Err(Refusal::Over(_)));
    (!is_over).then(|| (written.clone(), policy))
}

fn protected(
    function: &Function,
    policy: Option<&(WrittenPolicy, Policy)>,
    as_written: bool,
    has_filter: bool,
) -> Finding {
    match policy {
        Some(_) if !has_filter => {
            let words = "proxies don't have the filter: the EnvoyFilter steadfaas isn't in istiod's root namespace, and \
                         `kubectl apply` of steadfaas' manifest would put it there";
            Finding::bad(About::Protected, "NoFilter", words.to_owned())
        }
        Some((_, policy)) => {
            let words = format!(
                "by {}, which survives {} at once",
                policy.strategy.as_str(),
                failures(policy.tolerate)
            );
            if as_written {
                Finding::good(About::Protected, "Protected", words)
            } else {
                let words = format!("{words}: the last policy that was right");
                Finding::good(About::Protected, "LastGoodPolicy", words)
            }
        }
        None if function.upstreams.is_empty() => {
            let words = match function.platform {
                Platform::Knative => "it has no revision yet",
                _ => "no port of a Service of it speaks HTTP: one named http, http2 or grpc would be right",
            };
            Finding::bad(About::Protected, "NoUpstream", words.to_owned())
        }
        None => {
            Finding::bad(About::Protected, "NoPolicy", "its annotations say nothing that holds".to_owned())
        }
    }
}

fn failures(tolerate: u8) -> String {
    if tolerate == 1 { "1 failing replica".to_owned() } else { format!("{tolerate} failing replicas") }
}

fn redundant(spare: u8, wanted: u8) -> Finding {
    let words = format!("redundancy {spare} of {wanted}");
    if spare >= wanted {
        return Finding::good(About::Redundant, "Redundant", words);
    }
    let words = format!("{words}: too few replicas are ready, the next failure may be felt");
    Finding::bad(About::Redundant, "RedundancyLost", words)
}

fn direct(has_activator: bool) -> Finding {
    if has_activator {
        let words = "Knative's activator stands in the requests' way and chooses the replica: only its own failures are \
                     tried again; autoscaling.knative.dev/target-burst-capacity: \"0\" on the template takes it out";
        return Finding::bad(About::Direct, "ActivatorInPath", words.to_owned());
    }
    Finding::good(About::Direct, "Direct", "requests reach the pods without the activator".to_owned())
}

impl Finding {
    pub(super) fn good(about: About, reason: &'static str, message: String) -> Self {
        Self { about, holds: true, reason, message }
    }

    pub(super) fn bad(about: About, reason: &'static str, message: String) -> Self {
        Self { about, holds: false, reason, message }
    }

    /// That all is as it should be needn't be told, but for what a user waits for.
    pub(super) fn is_worth_an_event(&self) -> bool {
        !self.holds || matches!(self.about, About::Protected | About::Redundant)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::function::fixtures::{object, protected, service};
    use crate::function::{DEFAULT_DOMAIN, Objects, functions};

    fn function(annotations: Value) -> Function {
        let service = object(service("fib", json!({}), annotations));
        functions(&Objects { services: vec![&service], ..Objects::default() }, DEFAULT_DOMAIN).remove(0)
    }

    fn verdict(function: &Function, in_force: Option<&WrittenPolicy>, limits: &str) -> Verdict {
        let limits: BTreeMap<String, String> = [("default".to_owned(), limits.to_owned())].into();
        let mut known = Limits::default();
        known.read(&limits);
        Verdict::on(
            function,
            in_force,
            Known {
                limits: &known,
                endpoints: &Endpoints::default(),
                around: &Surroundings::default(),
                extension: Some("of-the-extension"),
            },
        )
    }

    fn said(verdict: &Verdict) -> Vec<(About, bool, &str)> {
        verdict.findings.iter().map(|finding| (finding.about, finding.holds, finding.reason)).collect()
    }

    #[test]
    fn right_annotations_are_in_force() {
        let function = function(protected());
        let verdict = verdict(&function, None, "{}");
        assert_eq!(verdict.policy.as_ref().unwrap().0, function.written());
        assert_eq!(verdict.redundancy, Some((0, 1)));
        let expected = [
            (About::Valid, true, "AsWritten"),
            (About::Protected, true, "Protected"),
            (About::Redundant, false, "RedundancyLost"),
        ];
        assert_eq!(said(&verdict), expected);
    }

    #[test]
    fn a_bad_annotation_leaves_the_last_good_policy_and_says_what_would_be_right() {
        let good = function(protected()).written();
        let wrong =
            function(json!({ "steadfaas.dev/strategy": "active-standby", "steadfaas.dev/tolerate": "many" }));
        let kept = verdict(&wrong, Some(&good), "{}");
        assert_eq!(kept.policy.as_ref().unwrap().0, good);
        assert_eq!(
            said(&kept)[..2],
            [(About::Valid, false, "BadAnnotation"), (About::Protected, true, "LastGoodPolicy")]
        );
        assert_eq!(
            kept.findings[0].message,
            "`tolerate` is `many`: a whole number from 1 to 4 would be right"
        );
        let never = verdict(&wrong, None, "{}");
        assert_eq!(never.policy, None);
        assert_eq!(said(&never)[1], (About::Protected, false, "NoPolicy"));
    }

    #[test]
    fn without_its_strategy_a_function_is_protected_no_more() {
        let good = function(protected()).written();
        let left = function(json!({ "steadfaas.dev/tolerate": "2" }));
        assert_eq!(verdict(&left, Some(&good), "{}").policy, None);
    }

    #[test]
    fn what_an_administrator_does_not_allow_does_not_hold_even_if_it_held_before() {
        let function = function(protected());
        let good = function.written();
        let refused = verdict(&function, Some(&good), "strategies: [retry]");
        assert_eq!(refused.policy, None);
        assert_eq!(said(&refused)[0], (About::Valid, false, "OverLimit"));
    }

    #[test]
    fn a_limit_that_nobody_knows_leaves_what_is_in_force_and_lets_nothing_new_through() {
        let function = function(protected());
        let good = function.written();
        let kept = verdict(&function, Some(&good), "tolerate: many");
        assert_eq!((kept.policy.unwrap().0, kept.findings[0].holds), (good.clone(), true));
        let fresh = verdict(&function, None, "tolerate: many");
        assert_eq!((&fresh.policy, said(&fresh)[0]), (&None, (About::Valid, false, "LimitUnknown")));
        let other = WrittenPolicy::new("default/fib", [("strategy".to_owned(), "retry".to_owned())].into());
        let changed = verdict(&function, Some(&other), "tolerate: many");
        assert_eq!(changed.policy.unwrap().0, other);
    }

    #[test]
    fn a_function_that_nothing_leads_to_has_no_policy_and_is_told_so() {
        let mut function = function(protected());
        function.upstreams.clear();
        let verdict = verdict(&function, None, "{}");
        assert_eq!((verdict.policy.is_none(), said(&verdict)[1].2), (true, "NoUpstream"));
    }
}
