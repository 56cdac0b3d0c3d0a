//! Asks proxies, several at once.

use std::collections::BTreeMap;

use steadfaas_core::admin::{ClusterHosts, Query, read_clusters};
use tokio::task::JoinSet;

use super::report::{ProtectedCluster, names_filter, read_clusters_dump, read_filter, read_identity};
use super::{Admin, AdminError, Metrics, Proxy, Report, read_metrics};
use crate::access::Access;

/// Proxies that are asked at once: each is a connection through the API server.
const AT_ONCE: usize = 16;

/// Counters and states of the filter and of the VMs.
const STATS: &str = "/stats?filter=wasm";

/// Which proxy it is, without the rest of the dump: that has the filter's module in it.
const IDENTITY: &str = "/config_dump?mask=bootstrap.stats_config,bootstrap.node.metadata,bootstrap.node.extensions,\
                        bootstrap.node.user_agent_build_version";

/// Filters that istiod sends apart from listeners; only whether they are there.
const DISCOVERED: &str = "/config_dump?resource=ecds_filters&mask=ecds_filter.name";

/// Clusters, without what isn't ours.
const CLUSTERS: &str = "/config_dump?resource=dynamic_active_clusters&mask=cluster.name,cluster.metadata,\
                        cluster.load_balancing_policy,cluster.typed_extension_protocol_options";

/// What listeners are like for new connections.
const LISTENERS: &str = "/config_dump?resource=dynamic_listeners&mask=active_state";

/// Istio's own counters of answers.
const ANSWERS: &str = "/stats/prometheus?filter=istio_requests_total";

/// Something that is asked of a proxy.
type Question<T> =
    for<'a> fn(&'a mut Admin) -> std::pin::Pin<Box<dyn Future<Output = Result<T, AdminError>> + Send + 'a>>;

/// All that proxies say, in their order.
pub async fn all(access: &Access, proxies: &[Proxy]) -> Vec<Result<Report, AdminError>> {
    each(access, proxies, |admin| Box::pin(report(admin))).await
}

/// What the proxies' filters count, in their order.
pub async fn counts(
    access: &Access,
    proxies: &[Proxy],
) -> Vec<Result<BTreeMap<String, Metrics>, AdminError>> {
    each(access, proxies, |admin| Box::pin(metrics(admin))).await
}

/// Whether their listeners have the filter, in their order. Connections that were there before may keep it till they end.
pub async fn listeners(access: &Access, proxies: &[Proxy]) -> Vec<Result<bool, AdminError>> {
    each(access, proxies, |admin| Box::pin(listen(admin))).await
}

async fn listen(admin: &mut Admin) -> Result<bool, AdminError> {
    Ok(names_filter(Some(&admin.get(LISTENERS).await?)))
}

/// What Istio itself counts in them, as Prometheus reads it, in their order.
pub async fn answers(access: &Access, proxies: &[Proxy]) -> Vec<Result<String, AdminError>> {
    each(access, proxies, |admin| Box::pin(admin.get(ANSWERS))).await
}

async fn each<T: Send + 'static>(
    access: &Access,
    proxies: &[Proxy],
    question: Question<T>,
) -> Vec<Result<T, AdminError>> {
    let mut answers = Vec::new();
    for some in proxies.chunks(AT_ONCE) {
        let mut asked = JoinSet::new();
        for (place, proxy) in some.iter().enumerate() {
            let (access, proxy) = (access.clone(), proxy.clone());
            asked.spawn(async move { (place, one(&access, &proxy, question).await) });
        }
        let mut together = asked.join_all().await;
        together.sort_by_key(|(place, _)| *place);
        answers.extend(together.into_iter().map(|(_, answer)| answer));
    }
    answers
}

async fn one<T>(access: &Access, proxy: &Proxy, question: Question<T>) -> Result<T, AdminError> {
    question(&mut Admin::open(access, proxy).await?).await
}

async fn metrics(admin: &mut Admin) -> Result<BTreeMap<String, Metrics>, AdminError> {
    Ok(read_metrics(&admin.get(STATS).await?))
}

async fn report(admin: &mut Admin) -> Result<Report, AdminError> {
    let stats = admin.get(STATS).await?;
    // A proxy that never got one says 404.
    let discovered = admin.get(DISCOVERED).await.ok();
    let identity = admin.get(IDENTITY).await?;
    let clusters = admin.get(CLUSTERS).await?;
    let clusters = read_clusters_dump(&clusters).map_err(|error| admin.unreadable(CLUSTERS, &error))?;
    Ok(Report {
        filter: read_filter(&stats, discovered.as_deref()),
        identity: read_identity(&identity).map_err(|error| admin.unreadable(IDENTITY, &error))?,
        hosts: hosts(admin, &clusters).await?,
        metrics: read_metrics(&stats),
        clusters,
    })
}

async fn hosts(admin: &mut Admin, clusters: &[ProtectedCluster]) -> Result<Vec<ClusterHosts>, AdminError> {
    let mut hosts = Vec::new();
    let mut rest = clusters;
    while !rest.is_empty() {
        let mut query = Query::default();
        while let Some((cluster, others)) = rest.split_first().filter(|_| !query.is_full()) {
            query.add(&cluster.name);
            rest = others;
        }
        let answer = admin.get(&query.path()).await?;
        let wanted = |name: &str| clusters.iter().any(|cluster| cluster.name == name);
        let read = read_clusters(answer.as_bytes(), &wanted);
        hosts.extend(read.map_err(|error| admin.unreadable("/clusters", &error))?);
    }
    Ok(hosts)
}
