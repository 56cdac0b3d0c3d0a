//! What nodes, pods and proxies use, each second, from their cgroups.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde::Serialize;
use serde_json::Value;

use super::cgroup::{self, Group, Used};
use super::kubectl::Kubectl;
use super::running::Running;

/// How often everything is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// The container that is a proxy, as Istio calls it in gateways and beside functions.
const PROXY: &str = "istio-proxy";

/// What uses something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind", content = "name")]
pub enum Consumer {
    /// A machine with all its programs and pods.
    Node(String),
    /// The proxy of this pod.
    Proxy(String),
    /// A pod: namespace and name.
    Pod(String),
}

/// What one of them used, second by second from the start of the load. A pod isn't there in every second.
#[derive(Debug, Clone, Serialize)]
pub struct Usage {
    /// Who.
    #[serde(flatten)]
    pub consumer: Consumer,
    /// Processors in use on average of that second.
    pub cores: Vec<Option<f64>>,
    /// Memory at the second's end, in MB of a million bytes, without what the kernel would take away first.
    pub memory_mb: Vec<Option<f64>>,
}

/// A measurement that is under way.
#[derive(Debug)]
pub struct Meter {
    stop: Arc<AtomicBool>,
    names: BTreeMap<String, Consumer>,
    thread: JoinHandle<BTreeMap<Key, Vec<Option<Used>>>>,
}

/// A machine's name, a pod's uid, or a container's id.
type Key = String;

impl Meter {
    /// Measures from `from` on; nothing on a cluster whose nodes aren't ours.
    ///
    /// # Errors
    /// The API server doesn't say which pods there are.
    pub fn start(running: &Running, from: Instant) -> anyhow::Result<Option<Self>> {
        let Ok(records) = running.records() else { return Ok(None) };
        let machines: Vec<String> = records.read().machines.into_iter().map(|machine| machine.name).collect();
        let mut names = names(running.kubectl())?;
        names.extend(machines.iter().map(|name| (name.clone(), Consumer::Node(name.clone()))));
        let (mark, stop) = (records.folder().mark(), Arc::new(AtomicBool::new(false)));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || follow(&mark, &machines, from, &told));
        Ok(Some(Self { stop, names, thread }))
    }

    /// Ends it.
    ///
    /// # Errors
    /// The API server doesn't say which pods came meanwhile.
    pub fn finish(mut self, kubectl: &Kubectl) -> anyhow::Result<Vec<Usage>> {
        self.stop.store(true, Ordering::Relaxed);
        let samples = self.thread.join().map_err(|_| anyhow!("the measuring thread panicked"))?;
        self.names.extend(names(kubectl)?);
        // A pod that came and went in between is nobody's: its node has what it used.
        let known = samples.into_iter().filter_map(|(key, used)| Some((self.names.get(&key)?.clone(), used)));
        let mut all: Vec<Usage> = known.map(|(consumer, used)| usage(consumer, &used)).collect();
        all.sort_by(|one, other| one.consumer.cmp(&other.consumer));
        Ok(all)
    }
}

fn follow(
    mark: &str,
    machines: &[String],
    from: Instant,
    stop: &AtomicBool,
) -> BTreeMap<Key, Vec<Option<Used>>> {
    let mut samples: BTreeMap<Key, Vec<Option<Used>>> = BTreeMap::new();
    for round in 0_u32.. {
        std::thread::sleep((from + EVERY * round).saturating_duration_since(Instant::now()));
        if stop.load(Ordering::Relaxed) {
            break;
        }
        for (key, group) in groups(mark, machines) {
            let known = samples.entry(key).or_default();
            known.resize(usize::try_from(round).unwrap_or(0), None);
            known.push(group.used());
        }
    }
    samples
}

/// Every group that is there now: machines, pods, containers.
fn groups(mark: &str, machines: &[String]) -> Vec<(Key, Group)> {
    let mut found = Vec::new();
    for machine in machines {
        found.extend(cgroup::machine(mark, machine).map(|group| (machine.clone(), group)));
        for (uid, pod) in cgroup::pods(mark, machine) {
            found.extend(pod.below());
            found.push((uid, pod));
        }
    }
    found
}

/// Differences of what was used until the start and the end of each second.
fn usage(consumer: Consumer, used: &[Option<Used>]) -> Usage {
    let rounded = |number: f64| (number * 1_000.0).round() / 1_000.0;
    let seconds = used.iter().zip(used.iter().skip(1));
    let cores = |(one, next): (&Option<Used>, &Option<Used>)| {
        let spent = (*next)?.cpu.saturating_sub((*one)?.cpu);
        Some(rounded(spent.as_secs_f64() / EVERY.as_secs_f64()))
    };
    #[expect(clippy::cast_precision_loss, reason = "a machine has far less than 2^53 bytes of memory")]
    let megabytes = |used: &Option<Used>| Some(rounded((*used)?.memory as f64 / 1e6));
    Usage {
        consumer,
        cores: seconds.map(cores).collect(),
        memory_mb: used.iter().skip(1).map(megabytes).collect(),
    }
}

/// Which pods there are, by uid, and which of their containers are proxies, by id.
fn names(kubectl: &Kubectl) -> anyhow::Result<BTreeMap<Key, Consumer>> {
    let pods: Value =
        serde_json::from_str(&kubectl.run(&["get", "pods", "--all-namespaces", "--output=json"])?)?;
    let items = pods.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Ok(items.iter().flat_map(names_of).collect())
}

fn names_of(pod: &Value) -> Vec<(Key, Consumer)> {
    let text = |value: &Value, path: &str| {
        value.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let name = format!("{}/{}", text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    let containers = ["/status/containerStatuses", "/status/initContainerStatuses"];
    let containers = containers.iter().filter_map(|path| pod.pointer(path)?.as_array()).flatten();
    let proxies = containers.filter(|container| text(container, "/name") == PROXY);
    let id = |container| text(container, "/containerID").trim_start_matches("containerd://").to_owned();
    let mut found: Vec<(Key, Consumer)> =
        proxies.map(|proxy| (id(proxy), Consumer::Proxy(name.clone()))).collect();
    found.push((text(pod, "/metadata/uid"), Consumer::Pod(name)));
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_second_has_what_was_used_between_its_ends() {
        let used = |ms, memory| Some(Used { cpu: Duration::from_millis(ms), memory });
        let usage = usage(
            Consumer::Node("worker1".into()),
            &[None, used(100, 1), used(350, 2_000_000), used(350, 3_000_000)],
        );
        assert_eq!(usage.cores, [None, Some(0.25), Some(0.0)]);
        assert_eq!(usage.memory_mb, [Some(0.0), Some(2.0), Some(3.0)]);
    }

    #[test]
    fn a_pods_proxy_is_known_by_its_container() {
        let pod = json!({
            "metadata": { "namespace": "istio-system", "name": "gateway", "uid": "u" },
            "status": { "containerStatuses": [{ "name": "istio-proxy", "containerID": "containerd://c" }] },
        });
        let name = "istio-system/gateway".to_owned();
        assert_eq!(
            names_of(&pod),
            [("c".to_owned(), Consumer::Proxy(name.clone())), ("u".to_owned(), Consumer::Pod(name))]
        );
    }
}
