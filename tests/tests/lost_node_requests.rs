//! Requests survive the loss of a replica's node: no RST, no refusal, only silence.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use steadfaas_tests::bootstrap::Bootstrap;
use steadfaas_tests::client::Ask;
use steadfaas_tests::envoy;
use steadfaas_tests::fib::{Options, Replica};
use steadfaas_tests::load::Load;
use steadfaas_tests::matrix::words::Call;
use steadfaas_tests::metrics::Metrics;
use steadfaas_tests::netns::{Network, enter_for_test};
use steadfaas_tests::record;

/// A function: its name, how many of the nodes have a replica, its settings, its requests. Those that may run twice
/// all have to be answered. A POST without key that was sent to the lost node can't be: nothing proves that it didn't
/// run. It must not run twice, though.
const FUNCTIONS: &[(&str, usize, &str, Call)] = &[
    ("retry-2-get", 2, "strategy: retry; hedge-after: 50ms", Call::Get),
    ("retry-3-keyed", 3, "strategy: retry", Call::KeyedPost),
    ("retry-2-post", 2, "strategy: retry; hedge-after: 50ms", Call::Post),
    ("standby-2-get", 2, "strategy: active-standby; hedge-after: 25ms", Call::Get),
    ("standby-2-keyed", 2, "strategy: active-standby; hedge-after: 25ms", Call::KeyedPost),
    ("standby-3-get", 3, "strategy: active-standby", Call::Get),
    ("standby-2-post", 2, "strategy: active-standby; hedge-after: 25ms", Call::Post),
    ("hedged-2-get", 2, "strategy: hedged", Call::Get),
    ("copies-2-get", 2, "strategy: request-replication", Call::Get),
    ("copies-2-keyed", 2, "strategy: request-replication", Call::KeyedPost),
    ("copies-3-get", 3, "strategy: request-replication", Call::Get),
    ("copies-2-post", 2, "strategy: request-replication", Call::Post),
];

/// A request that hangs on a lost node is given up after this long.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(2);

fn functions_file(addresses: &[String]) -> String {
    let entry = |(name, replicas, settings, _): &(&str, usize, &str, Call)| {
        let list: Vec<_> = addresses.iter().take(*replicas).cloned().collect();
        let settings = settings.replace("; ", "\n  ");
        format!("- name: {name}\n  host: {name}.test\n  replicas: [{}]\n  {settings}\n", list.join(", "))
    };
    format!("functions:\n{}", FUNCTIONS.iter().map(entry).collect::<String>())
}

fn load(bootstrap: &Bootstrap, (name, _, _, call): &(&str, usize, &str, Call), round: usize) -> Load {
    let mut load = Load::new(bootstrap.listen, 40.0, 3.0);
    load.host = Some(format!("{name}.test"));
    load.method = call.method();
    load.headers = call.headers();
    if *call != Call::Get {
        load.body = "15".into();
    }
    load.timeout = CLIENT_TIMEOUT;
    load.id_prefix = format!("{name}-{round}");
    load
}

/// Until the filter knows all replicas of each function and finds them well.
async fn wait_for_views(envoy: &envoy::Envoy, bootstrap: &Bootstrap) -> anyhow::Result<()> {
    loop {
        let metrics = Metrics::of(envoy).await?;
        let knows = |(name, replicas, ..): &(&str, usize, &str, Call)| {
            metrics.get("replicas_well", name) == u64::try_from(*replicas).ok()
        };
        if FUNCTIONS.iter().all(knows) {
            return Ok(());
        }
        for (name, ..) in FUNCTIONS {
            Ask::get(&format!("{name}.test"), "/?n=15").send(bootstrap.listen).await?;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_that_may_run_twice_is_lost_with_a_node() -> anyhow::Result<()> {
    let binary: PathBuf = envoy::newest()?;
    if !enter_for_test("no_request_that_may_run_twice_is_lost_with_a_node")? {
        return Ok(());
    }
    let network = Network::with_nodes(3)?;
    let mut replicas = Vec::new();
    for node in network.nodes() {
        let options = Options { net_of: Some(node.pid()), ..Options::default() };
        replicas.push(Replica::start_at(node.address(), &options).await?);
    }
    let addresses: Vec<_> = replicas.iter().map(|replica| replica.address().to_string()).collect();
    let bootstrap = Bootstrap::render(&functions_file(&addresses), xtask::envoy::NEWEST)?;
    let envoy = bootstrap.start(&binary, 1).await?;
    // Each node is lost once: for every function, one of them is the one that is busy.
    for (round, node) in network.nodes().iter().enumerate() {
        wait_for_views(&envoy, &bootstrap).await?;
        let mut running = Vec::new();
        for function in FUNCTIONS {
            running.push((function, load(&bootstrap, function, round).start().await?));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        node.lose()?;
        for ((name, _, _, call), running) in running {
            let outcomes = running.finish().await;
            let failed = record::failed(&outcomes);
            println!("{name}, node {round} lost: {failed} of {} failed", outcomes.len());
            assert!(*call == Call::Post || failed == 0, "{name}: {:?}", record::statuses(&outcomes));
        }
        node.bring_back()?;
    }
    let mut runs = BTreeMap::new();
    for replica in &replicas {
        for (id, times) in replica.stats().await?.ids {
            *runs.entry(id).or_insert(0) += times;
        }
    }
    for (name, count, _, call) in FUNCTIONS {
        let most = runs.iter().filter(|(id, _)| id.starts_with(*name)).map(|(_, times)| *times).max();
        let allowed = match call {
            Call::Post => 1,
            _ if name.starts_with("copies") => u32::try_from(*count)?,
            // The policy's tries: a third one may go back to the first replica, when the second is late as well.
            _ => 3,
        };
        assert!(most <= Some(allowed), "{name}: a request ran {most:?} times");
    }
    Ok(())
}
