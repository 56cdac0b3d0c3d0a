//! What everybody has used and done by now, and what they did between two readings.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use steadfaas_tests::prometheus::sum;

use crate::cluster::cgroup::{self, Used};
use crate::cluster::function;
use crate::cluster::process::Spent;
use crate::cluster::proxy::Proxy;
use crate::cluster::running::Running;
use crate::cluster::{istio, steadfaas};

/// What the controller asks the API server for, as that counts it: verb and resource.
const CALLS: [(&str, &str); 8] = [
    ("APPLY", "envoyfilters"),
    ("PATCH", "envoyfilters"),
    ("GET", "envoyfilters"),
    ("DELETE", "envoyfilters"),
    ("APPLY", "services"),
    ("POST", "events"),
    ("PATCH", "events"),
    ("LIST", "services"),
];

/// Everything by now.
pub(super) struct Readings {
    at: Instant,
    calls: BTreeMap<(&'static str, &'static str), f64>,
    istiod: Spent,
    gateway: Used,
    controllers: Vec<(String, Used)>,
    pushes: f64,
    push_seconds: f64,
    convergences: f64,
    convergence_seconds: f64,
}

impl Readings {
    pub(super) fn take(running: &Running) -> anyhow::Result<Self> {
        let api = running.kubectl().run(&["get", "--raw", "/metrics"])?;
        let count = |(verb, resource): (&str, &str)| {
            let labels = [format!("verb=\"{verb}\""), format!("resource=\"{resource}\"")];
            sum(&api, "apiserver_request_total", &labels.each_ref().map(String::as_str))
        };
        let pilot = istio::debug(running)?.get("/metrics")?;
        Ok(Self {
            at: Instant::now(),
            calls: CALLS.into_iter().map(|call| (call, count(call))).collect(),
            istiod: istio::istiod(running)?.spent().context("istiod has ended")?,
            gateway: gateway(running)?,
            controllers: controllers(running)?,
            pushes: sum(&pilot, "pilot_xds_push_time_count", &[CLUSTERS]),
            push_seconds: sum(&pilot, "pilot_xds_push_time_sum", &[CLUSTERS]),
            convergences: sum(&pilot, "pilot_proxy_convergence_time_count", &[]),
            convergence_seconds: sum(&pilot, "pilot_proxy_convergence_time_sum", &[]),
        })
    }

    /// Who has how much memory.
    pub(super) fn memory(&self) -> String {
        let controllers: Vec<String> =
            self.controllers.iter().map(|(_, used)| megabytes(used.memory)).collect();
        format!(
            "controllers {} MB, istiod {} MB, the gateway's pod {} MB",
            controllers.join(" and "),
            megabytes(self.istiod.memory),
            megabytes(self.gateway.memory)
        )
    }
}

/// A push of clusters, which is what an EnvoyFilter of a function changes.
const CLUSTERS: &str = r#"type="cds""#;

/// How many pushes istiod has made.
pub(super) fn pushes(running: &Running) -> anyhow::Result<f64> {
    Ok(sum(&istio::debug(running)?.get("/metrics")?, "pilot_xds_push_time_count", &[CLUSTERS]))
}

/// How many statuses the controllers that run have written. One that doesn't answer yet has written none.
pub(super) fn statuses(running: &Running) -> anyhow::Result<usize> {
    let mut written = 0.0;
    for pod in function::replicas(running.kubectl(), steadfaas::NAMESPACE, steadfaas::PODS)? {
        let path = format!("/api/v1/namespaces/{}/pods/{}:8080/proxy/metrics", pod.namespace, pod.pod);
        let metrics = running.kubectl().run(&["get", "--raw", &path]).unwrap_or_default();
        written += sum(&metrics, "steadfaas_controller_status_writes_total", &[]);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
    Ok(written as usize)
}

fn gateway(running: &Running) -> anyhow::Result<Used> {
    let proxy: Proxy = istio::ingress_gateway();
    let [_, uid, node] = proxy.find(running)?;
    let pods = cgroup::pods(&running.records()?.folder().mark(), &node);
    let own = pods.into_iter().find(|(known, _)| *known == uid).and_then(|(_, group)| group.used());
    own.context("the gateway's pod has ended")
}

fn controllers(running: &Running) -> anyhow::Result<Vec<(String, Used)>> {
    let mark = running.records()?.folder().mark();
    let pods = function::replicas(running.kubectl(), steadfaas::NAMESPACE, steadfaas::PODS)?;
    let used = pods.into_iter().filter_map(|pod| {
        let containers = cgroup::pods(&mark, &pod.node).into_iter().flat_map(|(_, group)| group.below());
        let own = containers.into_iter().find(|(container, _)| *container == pod.container);
        Some((pod.pod, own?.1.used()?))
    });
    Ok(used.collect())
}

/// What was done between two readings, a share of it for each of several times.
pub(super) struct Since {
    calls: Vec<(String, f64)>,
    istiod: f64,
    gateway: f64,
    controllers: f64,
    /// How many, and how long one took on average, in seconds.
    pushes: (f64, f64),
    convergence: f64,
    seconds: f64,
}

impl Since {
    #[expect(clippy::cast_precision_loss, reason = "a handful of times")]
    pub(super) fn new(before: &Readings, after: &Readings, times: usize) -> Self {
        let times = times as f64;
        let share = |spent: Duration| spent.as_secs_f64() / times;
        let mean = |sum: f64, count: f64| if count > 0.0 { sum / count } else { 0.0 };
        let calls = after.calls.iter().map(|(call, count)| {
            let more = count - before.calls.get(call).copied().unwrap_or(0.0);
            (format!("{} {}", call.0, call.1), more / times)
        });
        let earlier = |pod: &str| before.controllers.iter().find(|(known, _)| known == pod);
        let controllers = after.controllers.iter().map(|(pod, used)| {
            used.cpu.saturating_sub(earlier(pod).map_or(Duration::ZERO, |(_, used)| used.cpu))
        });
        let pushes = after.pushes - before.pushes;
        Self {
            calls: calls.filter(|(_, count)| *count > 0.0).collect(),
            istiod: share(after.istiod.cpu.saturating_sub(before.istiod.cpu)),
            gateway: share(after.gateway.cpu.saturating_sub(before.gateway.cpu)),
            controllers: share(controllers.sum()),
            pushes: (pushes / times, mean(after.push_seconds - before.push_seconds, pushes)),
            convergence: mean(
                after.convergence_seconds - before.convergence_seconds,
                after.convergences - before.convergences,
            ),
            seconds: after.at.duration_since(before.at).as_secs_f64(),
        }
    }
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls: Vec<String> =
            self.calls.iter().map(|(call, count)| format!("{count:.1} {call}")).collect();
        write!(
            f,
            "calls {}; processor time: controllers {:.2} s, istiod {:.2} s, the gateway's pod {:.2} s; {:.1} pushes of \
             clusters of {:.3} s, a change at the proxy after {:.2} s on average (all of it in {:.0} s)",
            if calls.is_empty() { "none".to_owned() } else { calls.join(", ") },
            self.controllers,
            self.istiod,
            self.gateway,
            self.pushes.0,
            self.pushes.1,
            self.convergence,
            self.seconds
        )
    }
}

fn megabytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a machine has far less than 2^53 bytes of memory")]
    let bytes = bytes as f64;
    format!("{:.0}", bytes / 1e6)
}
