//! Whether a rehearsal is safe, and which replica it takes.

use thiserror::Error;

use crate::status::{Replica, Row, State};

/// Why a rehearsal would be no rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The annotations are wrong.
    #[error("its annotations are wrong: nothing says how many failures it survives")]
    NoPolicy,
    /// No spare replica.
    #[error(
        "{well} of its replicas are well, and a drill needs K + 1 = {needed}: `steadfaas status` says what is missing"
    )]
    TooFew {
        /// So many are well.
        well: usize,
        /// So many have to be.
        needed: usize,
    },
    /// No gateway or sidecar that protects it.
    #[error("no proxy that was asked has its policy: it isn't protected yet, and requests would fail")]
    NoProxy,
    /// A pod that isn't one of its well replicas.
    #[error("`{pod}` is none of its well replicas: {others} would be right")]
    NotAReplica {
        /// What was asked for.
        pod: String,
        /// What there is.
        others: String,
    },
}

/// The replica whose loss matters most: an active one; or the one that is asked for.
///
/// # Errors
/// Requests might fail.
pub fn choose<'a>(row: &'a Row, pod: Option<&str>) -> Result<&'a Replica, Refusal> {
    let needed = row.tolerate.ok_or(Refusal::NoPolicy)? + 1;
    let well = || row.replicas.iter().filter(|replica| replica.state.is_well() && replica.pod.is_some());
    let too_few = Refusal::TooFew { well: well().count(), needed };
    if well().count() < needed {
        return Err(too_few);
    }
    if row.proxies.gateways + row.proxies.sidecars == 0 {
        return Err(Refusal::NoProxy);
    }
    match pod {
        Some(name) => well().find(|replica| replica.pod.as_deref() == Some(name)).ok_or_else(|| {
            let others: Vec<&str> = well().filter_map(|replica| replica.pod.as_deref()).collect();
            Refusal::NotAReplica { pod: name.to_owned(), others: others.join(" or ") }
        }),
        None => well().min_by_key(|replica| replica.state != State::Active).ok_or(too_few),
    }
}
