//! What a scenario that failed leaves to be looked at: what Kubernetes, istiod and Envoy held then, what programs wrote,
//! and what each request of the load got.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

use super::endpoint::Endpoint;
use super::istio;
use super::proxy::Proxy;
use super::running::Running;

/// What is asked of Kubernetes: file, words.
const ASKED: [(&str, &[&str]); 7] = [
    ("nodes.yaml", &["get", "nodes", "--output=yaml"]),
    ("pods.txt", &["get", "pods", "--all-namespaces", "--output=wide"]),
    ("pods.yaml", &["get", "pods", "--all-namespaces", "--output=yaml"]),
    ("events.txt", &["get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"]),
    ("endpoints.yaml", &["get", "endpointslices", "--all-namespaces", "--output=yaml"]),
    ("envoyfilters.yaml", &["get", "envoyfilters", "--all-namespaces", "--output=yaml"]),
    ("virtualservices.yaml", &["get", "virtualservices", "--all-namespaces", "--output=yaml"]),
];

/// What is asked of istiod: what it sent to whom, what it knows of endpoints, its configuration.
const OF_ISTIOD: [&str; 4] = ["syncz", "endpointz", "configz", "push_status"];

/// What is asked of Envoy.
const OF_ENVOY: [&str; 4] = ["config_dump", "clusters", "stats", "server_info"];

/// A folder of evidence; what can't be had says so in its file.
#[derive(Debug)]
pub struct Evidence {
    folder: PathBuf,
}

impl Evidence {
    /// An empty one in the target folder, for this scenario, of this moment.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn of(scenario: &str) -> anyhow::Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let folder = xtask::target_dir().join(format!("evidence/{scenario}-{now}"));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds a file.
    ///
    /// # Errors
    /// It can't be written.
    pub fn add(&self, file: &str, text: anyhow::Result<String>) -> anyhow::Result<()> {
        let text = text.unwrap_or_else(|error| format!("{error:#}\n"));
        fs::write(self.folder.join(file), text).with_context(|| format!("cannot write {file}"))
    }

    /// Adds what Kubernetes, istiod and this proxy hold, and what they wrote.
    ///
    /// # Errors
    /// A file can't be written.
    pub fn gather(&self, running: &Running, proxy: &Proxy) -> anyhow::Result<()> {
        let kubectl = running.kubectl();
        for (file, words) in ASKED {
            self.add(file, kubectl.run(words))?;
        }
        self.ask("istiod", &istio::debug(running), "/debug/", &OF_ISTIOD)?;
        let name = proxy.find(running).map(|[name, ..]| name);
        if let Ok(name) = &name {
            let dump = format!("/debug/config_dump?proxyID={name}.{}", proxy.namespace);
            self.add("istiod-config_dump", istio::debug(running).and_then(|istiod| istiod.get(&dump)))?;
        }
        self.ask("envoy", &proxy.admin(running), "/", &OF_ENVOY)?;
        let namespace = format!("--namespace={}", proxy.namespace);
        let log =
            name.and_then(|name| kubectl.run(&["logs", &namespace, &name, "--all-containers", "--tail=-1"]));
        self.add("proxy.log", log)?;
        self.logs(running)
    }

    fn ask(
        &self,
        who: &str,
        endpoint: &anyhow::Result<Endpoint>,
        path: &str,
        what: &[&str],
    ) -> anyhow::Result<()> {
        for what in what {
            let answer = endpoint.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"));
            self.add(
                &format!("{who}-{what}"),
                answer.and_then(|endpoint| endpoint.get(&format!("{path}{what}"))),
            )?;
        }
        Ok(())
    }

    /// What the cluster's own programs wrote, by machine; of another's cluster what istiod did.
    fn logs(&self, running: &Running) -> anyhow::Result<()> {
        let Ok(records) = running.records() else {
            let words = ["logs", "--namespace=istio-system", "--selector=app=istiod", "--tail=-1"];
            return self.add("istiod.log", running.kubectl().run(&words));
        };
        for machine in records.read().machines {
            for program in &machine.programs {
                let name = format!("{}/log/{}.log", machine.name, program.program.name());
                let log = fs::read(records.folder().join(&name))
                    .map(|log| String::from_utf8_lossy(&log).into_owned());
                self.add(
                    &format!("{}-{}.log", machine.name, program.program.name()),
                    log.with_context(|| name),
                )?;
            }
        }
        Ok(())
    }
}
