//! Which of several controllers writes: the one that holds the Lease.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, PostParams};
use tokio::sync::watch;

use super::settings::Settings;
use crate::access::in_words;

/// The Lease's name.
const NAME: &str = "steadfaas-controller";

/// After so long without a sign another one takes over. Kubernetes' own controllers take the same; nothing that serves
/// requests waits for it.
const LASTS: Duration = Duration::from_secs(15);

/// Whoever couldn't renew it for so long writes no more: before another one may begin.
const GIVES_UP: Duration = Duration::from_secs(10);

/// How often it is renewed, or looked at.
const EVERY: Duration = Duration::from_secs(3);

/// What to do about a Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// It is ours: say that we are there.
    Renew,
    /// Nobody's, or its holder is gone.
    Take,
    /// Another one's.
    Wait,
}

/// Holds the Lease whenever it can be had, and says whether it does.
pub(super) struct Keeper {
    leases: Api<Lease>,
    identity: String,
    /// The Lease as it was seen first in its present version. Clocks of other machines don't matter so.
    seen: Option<(String, Instant)>,
    renewed: Option<Instant>,
}

impl Keeper {
    pub(super) fn new(client: &Client, settings: &Settings) -> Self {
        let leases = Api::namespaced(client.clone(), &settings.namespace);
        Self { leases, identity: settings.identity.clone(), seen: None, renewed: None }
    }

    /// Keeps it until `stop`, then gives it back.
    pub(super) async fn keep(mut self, leads: watch::Sender<bool>, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            match tokio::time::timeout(EVERY, self.step()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(error = in_words(&error), "the Lease can't be had"),
                Err(_) => tracing::warn!("the API server doesn't answer about the Lease"),
            }
            leads.send_if_modified(|leads| {
                let now = self.renewed.is_some_and(|renewed| renewed.elapsed() < GIVES_UP);
                std::mem::replace(leads, now) != now
            });
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = &mut stop => return self.give_back().await,
            }
        }
    }

    async fn step(&mut self) -> kube::Result<()> {
        let Some(lease) = self.leases.get_opt(NAME).await? else {
            self.leases.create(&PostParams::default(), &self.held(None)).await?;
            self.renewed = Some(Instant::now());
            return Ok(());
        };
        let version = lease.metadata.resource_version.clone().unwrap_or_default();
        if self.seen.as_ref().is_none_or(|(seen, _)| *seen != version) {
            self.seen = Some((version, Instant::now()));
        }
        let unchanged = self.seen.as_ref().map_or(Duration::ZERO, |(_, since)| since.elapsed());
        match decide(&lease, &self.identity, unchanged) {
            Step::Wait => self.renewed = None,
            Step::Renew | Step::Take => {
                // With the version that was read: of two that try, one gets a conflict.
                self.leases.replace(NAME, &PostParams::default(), &self.held(Some(&lease))).await?;
                self.renewed = Some(Instant::now());
            }
        }
        Ok(())
    }

    /// The Lease as it is when we hold it.
    fn held(&self, before: Option<&Lease>) -> Lease {
        let now = Some(MicroTime(Timestamp::now()));
        let spec = before.and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let is_ours = spec.holder_identity.as_ref() == Some(&self.identity);
        let metadata = before.map_or_else(
            || ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() },
            |lease| lease.metadata.clone(),
        );
        let spec = LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(LASTS.as_secs()).ok(),
            acquire_time: if is_ours { spec.acquire_time.clone() } else { now.clone() },
            renew_time: now,
            lease_transitions: Some(spec.lease_transitions.unwrap_or_default() + i32::from(!is_ours)),
            ..spec
        };
        Lease { metadata, spec: Some(spec) }
    }

    /// Whoever waits needn't wait until it runs out.
    async fn give_back(&self) {
        let give = async {
            let mut lease = self.leases.get(NAME).await?;
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_ref() == Some(&self.identity) {
                spec.holder_identity = None;
                self.leases.replace(NAME, &PostParams::default(), &lease).await?;
            }
            Ok(())
        };
        // It runs out by itself.
        let _: Result<kube::Result<()>, _> = tokio::time::timeout(EVERY, give).await;
    }
}

fn decide(lease: &Lease, identity: &str, unchanged: Duration) -> Step {
    let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default();
    match holder {
        "" => Step::Take,
        holder if holder == identity => Step::Renew,
        _ if unchanged >= LASTS => Step::Take,
        _ => Step::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_taken_when_nobody_has_it_or_its_holder_gave_no_sign_for_its_time() {
        let held_by = |holder: Option<&str>| {
            let spec = LeaseSpec { holder_identity: holder.map(str::to_owned), ..LeaseSpec::default() };
            Lease { spec: Some(spec), ..Lease::default() }
        };
        assert_eq!(decide(&Lease::default(), "me", Duration::ZERO), Step::Take);
        assert_eq!(decide(&held_by(Some("")), "me", Duration::ZERO), Step::Take);
        assert_eq!(decide(&held_by(Some("me")), "me", LASTS * 2), Step::Renew);
        assert_eq!(decide(&held_by(Some("you")), "me", LASTS - EVERY), Step::Wait);
        assert_eq!(decide(&held_by(Some("you")), "me", LASTS), Step::Take);
    }
}
