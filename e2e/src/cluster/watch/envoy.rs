//! Watching what a proxy knows of a Service's replicas: its Envoy's admin endpoint is asked again and again.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use steadfaas_tests::http;

use super::Sightings;
use crate::cluster::endpoint::{Endpoint, enter};

/// How often it is asked, which is how exact the moments are. An answer takes Envoy's main thread about a millisecond.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// A watch that is under way; it ends when dropped.
#[derive(Debug)]
pub struct EnvoyWatch {
    stop: Arc<AtomicBool>,
    sightings: Sightings,
    /// Where a way to the endpoint had to be made: it lasts as long as the watch.
    _admin: Endpoint,
}

impl EnvoyWatch {
    /// Watches the endpoints of a Service.
    ///
    /// # Errors
    /// The endpoint can't be asked.
    pub fn start(admin: Endpoint, namespace: &str, service: &str) -> anyhow::Result<Self> {
        let (stop, sightings) = (Arc::new(AtomicBool::new(false)), Sightings::default());
        let (told, writer) = (Arc::clone(&stop), sightings.clone());
        let name = format!("||{service}.{namespace}.svc.");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (address, network) = (admin.address(), admin.network().map(Path::to_owned));
        std::thread::spawn(move || {
            // Without it nothing is seen, which is what the table then says.
            if enter(network.as_deref()).is_ok() {
                runtime.block_on(follow(address, &name, &writer, &told));
            }
        });
        Ok(Self { stop, sightings, _admin: admin })
    }

    /// What it saw.
    #[must_use]
    pub fn sightings(&self) -> &Sightings {
        &self.sightings
    }
}

impl Drop for EnvoyWatch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

async fn follow(admin: SocketAddr, name: &str, sightings: &Sightings, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        // An answer that fails says nothing about the replicas.
        if let Ok((_, text)) = http::get(admin, "/clusters").await {
            sightings.add(well(&text, name));
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// How many hosts of the Service's clusters, a port each, are healthy, by lines as `outbound|80||fib…::10.244.2.2:8080::health_flags::healthy`.
fn well(clusters: &str, name: &str) -> usize {
    let ours = |line: &&str| line.starts_with("outbound|") && line.contains(name);
    let of_cluster = clusters.lines().filter(ours);
    let healthy = of_cluster.filter_map(|line| line.strip_suffix("::health_flags::healthy"));
    let address = |line: &str| Some(line.rsplit("::").next()?.parse::<SocketAddr>().ok()?.ip());
    healthy.filter_map(address).collect::<BTreeSet<IpAddr>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn healthy_hosts_of_the_service_are_counted() {
        let text = "outbound|80||fib.default.svc.cluster.local::10.244.2.2:8080::cx_active::1\n\
            outbound|80||fib.default.svc.cluster.local::10.244.2.2:8080::health_flags::healthy\n\
            outbound|80||fib.default.svc.cluster.local::10.244.3.2:8080::health_flags::/failed_eds_health\n\
            outbound|80||fibber.default.svc.cluster.local::10.244.3.3:8080::health_flags::healthy\n";
        assert_eq!(well(text, "||fib.default.svc."), 1);
    }
}
