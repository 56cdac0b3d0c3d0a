//! What the workers of a proxy share: each function's view, a bell that says that some view has changed, and the lease
//! by which one of them asks the admin endpoint.

use std::time::Duration;

use steadfaas_core::lease::Lease;
use steadfaas_core::time::Millis;
use steadfaas_core::view::View;
use steadfaas_host::{self as host, MetricKind, Outcome};

/// How often a change is tried anew when other workers change the same view at the same moment. With as many workers
/// as that in one another's way something else is wrong; the change is given up, and the next sign brings it again.
const TRIES: usize = 16;

/// The bell: a counter that all workers read. Reading it on each request costs far less than reading shared data.
pub(crate) struct Bell(Option<u32>);

impl Bell {
    /// The proxy's bell.
    pub(crate) fn new() -> Self {
        Self(host::define_metric(MetricKind::Counter, "steadfaas_view_changes"))
    }

    /// How often it was rung.
    pub(crate) fn rings(&self) -> u64 {
        self.0.map_or(0, host::metric)
    }

    fn ring(&self) {
        if let Some(metric) = self.0 {
            host::add_to_counter(metric, 1);
        }
    }
}

/// The shared view of the function behind `cluster`; empty if nobody has made one yet.
pub(crate) fn view(cluster: &str) -> View {
    View::decode(&host::shared(&view_key(cluster)).0.unwrap_or_default())
}

/// A change of a view; says whether it changed anything. Not generic: each copy of this would cost the module 2 KB.
pub(crate) type Change<'a> = &'a mut dyn FnMut(&mut View) -> bool;

/// Changes the shared view and gives the result, unless `change` says that nothing changed.
pub(crate) fn change_view(
    bell: &Bell,
    cluster: &str,
    mut change: impl FnMut(&mut View) -> bool,
) -> Option<View> {
    let key = view_key(cluster);
    for _ in 0..TRIES {
        let (stored, cas) = host::shared(&key);
        let cas = stored.as_ref().map(|_| cas);
        let mut view = View::decode(&stored.unwrap_or_default());
        if !change(&mut view) {
            return None;
        }
        match host::set_shared(&key, &view.encode(), cas) {
            Outcome::Done => {
                bell.ring();
                return Some(view);
            }
            Outcome::Conflict => {}
            Outcome::Refused(_) => return None,
        }
    }
    None
}

fn view_key(cluster: &str) -> String {
    format!("view/{cluster}")
}

/// Takes the lease on asking for the replicas of `cluster` for `span`. Gives the lease as it was before, or until when
/// somebody else has it.
pub(crate) fn take_lease(cluster: &str, now: Millis, span: Duration) -> Result<Lease, Millis> {
    let (stored, cas) = host::shared(&lease_key(cluster));
    let before = Lease::decode(stored.as_deref().unwrap_or_default());
    let taken = before.take(now, span).ok_or(before.until)?;
    match host::set_shared(&lease_key(cluster), &taken.encode(), stored.map(|_| cas)) {
        Outcome::Done => Ok(before),
        Outcome::Conflict | Outcome::Refused(_) => Err(taken.until),
    }
}

/// Changes the lease, whoever has it: an answer came, or a sign that another one is wanted. Two changes at the same
/// moment mean the same, so whoever writes last is right.
pub(crate) fn change_lease(cluster: &str, change: impl FnOnce(Lease) -> Lease) {
    let (stored, cas) = host::shared(&lease_key(cluster));
    let lease = change(Lease::decode(stored.as_deref().unwrap_or_default()));
    host::set_shared(&lease_key(cluster), &lease.encode(), stored.map(|_| cas));
}

fn lease_key(cluster: &str) -> String {
    format!("lease/{cluster}")
}

/// Tells the other workers of the pace of the function behind `cluster`. Whoever tells last is believed.
pub(crate) fn tell_pace(cluster: &str, pace: &str) {
    let key = pace_key(cluster);
    let (stored, cas) = host::shared(&key);
    host::set_shared(&key, pace.as_bytes(), stored.map(|_| cas));
}

/// What a worker has told of that pace.
pub(crate) fn heard_pace(cluster: &str) -> String {
    String::from_utf8(host::shared(&pace_key(cluster)).0.unwrap_or_default()).unwrap_or_default()
}

fn pace_key(cluster: &str) -> String {
    format!("pace/{cluster}")
}
