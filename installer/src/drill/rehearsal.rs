//! The rehearsal itself: look, delete, watch, look again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hyper::Uri;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::DeleteParams;
use thiserror::Error;

use super::calls::milliseconds;
use super::{Calls, Counted, Outcome, Refusal, choose};
use crate::access::{Access, ClusterError};
use crate::facts::Subject;
use crate::facts::gather::{self, Scope};
use crate::proxy::{Metrics, Proxy, ask, read_failed};
use crate::status::{Row, State, rows};

/// How often replicas are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The filters hand over what they count once a second.
const COUNTED_AFTER: Duration = Duration::from_millis(1_500);

/// How long a drill's own requests run before a replica is deleted: the proxies know by then how fast the function is.
const BEFORE: Duration = Duration::from_secs(3);

/// What is to be rehearsed.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The function.
    pub name: String,
    /// The pod that is deleted; the one whose loss matters most where none is named.
    pub pod: Option<String>,
    /// How long the pod may take to end; what its own specification says where nothing is said.
    pub grace_seconds: Option<u32>,
    /// How long it is watched at the most.
    pub patience: Duration,
    /// What to call meanwhile, and with which `Host`.
    pub call: Option<(Uri, Option<String>)>,
}

/// Why there was no rehearsal, or only half of one.
#[derive(Debug, Error)]
pub enum DrillError {
    /// No protected function of this name.
    #[error("no function `{0}` is protected in this namespace: `steadfaas status -A` lists those that are")]
    NotProtected(String),
    /// It would be none.
    #[error("no drill of {function}: {refusal}")]
    Refused {
        /// The function.
        function: String,
        /// Why.
        refusal: Refusal,
    },
    /// The API server refuses.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// Does it. `say` is told what goes on.
///
/// # Errors
/// It isn't safe, or the cluster doesn't do what it is asked.
pub async fn run(access: &Access, plan: &Plan, say: impl Fn(&str)) -> Result<Outcome, DrillError> {
    let (proxies, subject, row) = look(access, plan).await?;
    let refused = |refusal| DrillError::Refused { function: row.function.clone(), refusal };
    let victim = choose(&row, plan.pod.as_deref()).map_err(refused)?;
    let (pod, ready) = (victim.pod.clone().unwrap_or_default(), ready(&row));
    let calls = plan.call.clone().map(|(url, host)| Calls::start(url, host));
    if calls.is_some() {
        tokio::time::sleep(BEFORE).await;
    }
    let before = count(access, &proxies, &subject).await;
    say(&format!("deleting pod {pod}, one of {ready} ready replicas"));
    delete(access, &pod, plan.grace_seconds).await?;
    let (noticed, restored) = watch(access, plan, &subject, (&pod, ready), &say).await?;
    tokio::time::sleep(COUNTED_AFTER).await;
    let after = count(access, &proxies, &subject).await;
    let heard = match calls {
        Some(calls) => Some(calls.stop().await),
        None => None,
    };
    Ok(Outcome {
        was: format!("{:?}", victim.state).to_lowercase(),
        pod,
        noticed_ms: noticed.map(milliseconds),
        restored_ms: restored.map(milliseconds),
        counted: between(&row.function, &before, &after),
        heard,
    })
}

/// The proxies, the function and how it is.
async fn look(access: &Access, plan: &Plan) -> Result<(Vec<Proxy>, Subject, Row), DrillError> {
    let scope = Scope {
        namespace: Some(access.namespace.clone()),
        name: Some(plan.name.clone()),
        ..Scope::default()
    };
    let facts = gather::facts(access, &scope).await?;
    let found = facts.subjects.first().cloned().zip(rows(&facts).into_iter().next());
    let (subject, row) = found.ok_or_else(|| DrillError::NotProtected(plan.name.clone()))?;
    Ok((facts.proxies.into_iter().map(|asked| asked.proxy).collect(), subject, row))
}

fn ready(row: &Row) -> usize {
    row.replicas.iter().filter(|replica| replica.state != State::Gone).count()
}

async fn delete(access: &Access, pod: &str, grace_seconds: Option<u32>) -> Result<(), ClusterError> {
    let pods: Api<Pod> = Api::namespaced(access.client.clone(), &access.namespace);
    let params = DeleteParams { grace_period_seconds: grace_seconds, ..DeleteParams::default() };
    pods.delete(pod, &params).await.map(drop).map_err(ClusterError::refused(format!("deleting pod {pod}")))
}

/// When there was a ready replica less, and when there were as many again. What can't be read for a moment is looked at
/// again: a drill that has begun has to see its end.
async fn watch(
    access: &Access,
    plan: &Plan,
    subject: &Subject,
    (pod, ready): (&str, usize),
    say: &impl Fn(&str),
) -> Result<(Option<Duration>, Option<Duration>), ClusterError> {
    let (began, mut noticed) = (Instant::now(), None);
    while began.elapsed() < plan.patience {
        tokio::time::sleep(LOOK_EVERY).await;
        let Ok(pods) = gather::pods_of(access, &subject.function).await else { continue };
        let now = pods.iter().filter(|one| one.ready && one.name != pod).count();
        if now < ready && noticed.is_none() {
            noticed = Some(began.elapsed());
            say(&format!("{now} of {ready} replicas are ready after {:.1} s", began.elapsed().as_secs_f64()));
        }
        if now >= ready {
            return Ok((noticed, Some(began.elapsed())));
        }
    }
    Ok((noticed, None))
}

/// What each proxy counted, by its name; and its answers of 500 and above.
type Counts = BTreeMap<String, (BTreeMap<String, Metrics>, Option<u64>)>;

async fn count(access: &Access, proxies: &[Proxy], subject: &Subject) -> Counts {
    let counts = ask::counts(access, proxies).await;
    let answers = ask::answers(access, proxies).await;
    let failed = |text: String| read_failed(&text, |host| subject.has_host(host));
    let each = proxies.iter().zip(counts).zip(answers);
    each.filter_map(|((proxy, counted), answers)| {
        Some((proxy.in_words(), (counted.ok()?, answers.ok().and_then(failed))))
    })
    .collect()
}

/// Only proxies that were asked both times say what happened in between.
fn between(function: &str, before: &Counts, after: &Counts) -> Counted {
    let (mut sum, mut failed) = (Metrics::default(), None);
    for (proxy, (now, failed_now)) in after {
        let Some((earlier, failed_earlier)) = before.get(proxy) else { continue };
        let earlier = earlier.get(function).cloned().unwrap_or_default();
        if let Some(metrics) = now.get(function) {
            sum.add(&metrics.since(&earlier));
        }
        if let Some(count) = failed_now {
            *failed.get_or_insert(0) += count.saturating_sub(failed_earlier.unwrap_or(0));
        }
    }
    Counted { requests: sum.requests, extra_attempts: sum.extra_attempts, failovers: sum.failovers, failed }
}
