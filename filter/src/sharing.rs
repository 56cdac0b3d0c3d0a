//! What the workers of a proxy share: each function's view, a bell that says that some view has changed, and the lease
//! by which one of them asks the admin endpoint.

use std::time::Duration;

use steadfaas_core::time::Millis;
use steadfaas_core::view::View;

use crate::host::{self, MetricKind, Outcome};

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

/// The lease on asking for one function's replicas.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lease {
    /// Until when nobody else asks.
    pub(crate) until: Millis,
    /// When somebody last got an answer.
    pub(crate) last_success: Millis,
}

impl Lease {
    /// The lease on `cluster`, and the number that a change of it has to name.
    pub(crate) fn read(cluster: &str) -> (Option<Self>, u32) {
        let (stored, cas) = host::shared(&lease_key(cluster));
        (stored.and_then(|bytes| Self::decode(&bytes)), cas)
    }

    /// Takes the lease for `span`. Gives the one before, or nothing if somebody else has it.
    pub(crate) fn take(cluster: &str, now: Millis, span: Duration) -> Result<Self, Millis> {
        let (found, cas) = Self::read(cluster);
        let before = found.unwrap_or_default();
        if before.until > now {
            return Err(before.until);
        }
        let taken = Self { until: now.after(span), ..before };
        match host::set_shared(&lease_key(cluster), &taken.encode(), found.map(|_| cas)) {
            Outcome::Done => Ok(before),
            Outcome::Conflict | Outcome::Refused(_) => Err(taken.until),
        }
    }

    /// Notes that an answer came; asks again after `span`. Whoever writes last is right: all of them just got one.
    pub(crate) fn renew(cluster: &str, now: Millis, span: Duration) -> Millis {
        let renewed = Self { until: now.after(span), last_success: now };
        let (found, cas) = Self::read(cluster);
        host::set_shared(&lease_key(cluster), &renewed.encode(), found.map(|_| cas));
        renewed.until
    }

    fn encode(self) -> [u8; 16] {
        (u128::from(self.until.0) << 64 | u128::from(self.last_success.0)).to_be_bytes()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (until, last_success) = bytes.split_first_chunk::<8>()?;
        let number = |bytes: &[u8; 8]| Millis(u64::from_be_bytes(*bytes));
        Some(Self { until: number(until), last_success: number(last_success.try_into().ok()?) })
    }
}

fn lease_key(cluster: &str) -> String {
    format!("lease/{cluster}")
}
