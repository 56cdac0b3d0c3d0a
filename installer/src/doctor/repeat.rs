//! Is a strategy held back because requests must not run twice?
//!
//! The mesh doesn't say which methods a function is called with. It can be told in three cases: a VirtualService leads
//! only such methods to it, it is gRPC (each call is a POST), or it is run by OpenFaaS, whose clients POST.

use super::Finding;
use super::routes::routes_to;
use crate::facts::{Facts, Subject};
use crate::function::Platform;
use serde_json::Value;

/// Where its owner says which requests may run twice.
const IDEMPOTENT: &str = "steadfaas.dev/idempotent";

/// Methods that may run twice, as the filter sees it.
const REPEATABLE: [&str; 6] = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    facts.subjects.iter().filter_map(|subject| finding(facts, subject)).collect()
}

/// `held back because POST isn't idempotent`, and how that is known.
pub(crate) fn in_words(facts: &Facts, subject: &Subject) -> Option<String> {
    // Whoever says it is not wants it so.
    if subject.function.annotations.contains_key(IDEMPOTENT) || subject.policy().is_err() {
        return None;
    }
    let why = posted(facts, subject)?;
    Some(format!("held back because POST isn't idempotent ({why})"))
}

fn finding(facts: &Facts, subject: &Subject) -> Option<Finding> {
    let says = format!(
        "{}: only failures that prove that nothing ran are tried again, unless a request carries an Idempotency-Key",
        in_words(facts, subject)?
    );
    let mend = format!("{} {IDEMPOTENT}=true, if it may run twice", subject.kubectl("annotate"));
    Some(Finding::warning("post-only", subject.in_words()).says(says, mend))
}

/// Why its requests are known to be POSTs.
fn posted(facts: &Facts, subject: &Subject) -> Option<String> {
    let mut routes = routes_to(facts, subject).peekable();
    let name = routes.peek().map(|(object, _)| format!("{}/{}", object.namespace, object.name));
    if let (Some(name), true) = (name, routes.all(|(_, route)| only_unrepeatable(route))) {
        return Some(format!("VirtualService {name} leads no other method to it"));
    }
    if subject.speaks_grpc {
        return Some("it is gRPC, whose calls are all POSTs".to_owned());
    }
    (subject.function.platform == Platform::OpenFaas).then(|| "OpenFaaS' clients POST".to_owned())
}

/// Each way into the route is for methods that must not run twice.
fn only_unrepeatable(route: &Value) -> bool {
    let matches = route.get("match").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let unrepeatable = |entry: &Value| {
        let method = entry.pointer("/method/exact").and_then(Value::as_str);
        method.is_some_and(|method| !REPEATABLE.contains(&method))
    };
    !matches.is_empty() && matches.iter().all(unrepeatable)
}
