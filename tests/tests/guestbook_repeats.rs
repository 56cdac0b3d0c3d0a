//! Exactly once, with help from storage: POSTs with a key through a real Envoy, while a replica dies or freezes. None
//! fails, some run twice, and each leaves one entry.

use std::time::Duration;

use anyhow::Context;
use hyper::Method;
use steadfaas_tests::bootstrap::Bootstrap;
use steadfaas_tests::guestbook::{Replica, additions, entries};
use steadfaas_tests::load::Load;
use steadfaas_tests::record::{Outcome, failed, statuses};
use steadfaas_tests::redis::Redis;
use steadfaas_tests::stage::{Stage, entry};

/// Requests a second.
const RATE: f64 = 200.0;

/// How long a request takes after its entry is stored: some four have done so at any time, and aren't answered yet.
const WORK: Duration = Duration::from_millis(20);

/// When the fault begins: the filter knows the function's pace by then.
const FAULT: Duration = Duration::from_secs(2);

/// How long the load lasts, in seconds.
const SECONDS: f64 = 5.0;

/// The guestbook of two replicas, protected.
struct Protected {
    name: &'static str,
    redis: Redis,
    replicas: [Replica; 2],
    stage: Stage,
}

/// What came of a load.
struct Seen {
    outcomes: Vec<Outcome>,
    entries: u64,
    additions: u64,
}

impl Protected {
    async fn new(name: &'static str, settings: &str) -> anyhow::Result<Self> {
        let redis = Redis::start().await?;
        let replicas = [Replica::start(&redis, WORK).await?, Replica::start(&redis, WORK).await?];
        let entry = entry(name, replicas.iter().map(Replica::address), settings)?;
        let bootstrap = Bootstrap::render(&format!("functions:\n{entry}"), xtask::envoy::NEWEST)?;
        let stage = Stage::open(&bootstrap).await?;
        stage.wait_until_known(name, replicas.len()).await?;
        Ok(Self { name, redis, replicas, stage })
    }

    /// POSTs, each of which is one entry.
    fn load(&self, keyed: bool) -> Load {
        Load {
            host: Some(format!("{}.test", self.name)),
            method: Method::POST,
            path: "/".to_owned(),
            body: "hello".into(),
            keyed,
            ..Load::new(self.stage.target, RATE, SECONDS)
        }
    }

    /// The replica that gets the requests.
    async fn busy(&self) -> anyhow::Result<usize> {
        let [one, other] = &self.replicas;
        Ok(usize::from(other.executions().await? > one.executions().await?))
    }

    /// The replica that gets the requests is killed in their midst: some run twice, and each leaves one entry.
    async fn loses_a_replica(mut self, keyed: bool) -> anyhow::Result<()> {
        let running = self.load(keyed).start().await?;
        running.reach(FAULT).await;
        let busy = self.busy().await?;
        self.replicas.get_mut(busy).context("there is no such replica")?.process_mut().kill()?;
        let seen = self.seen(running.finish().await).await?;
        seen.each_request_left_one_entry();
        seen.some_ran_twice();
        Ok(())
    }

    async fn seen(&self, outcomes: Vec<Outcome>) -> anyhow::Result<Seen> {
        let (entries, additions) = (entries(&self.redis).await?, additions(&self.redis).await?);
        println!("{}: {} requests, {entries} entries, added {additions} times", self.name, outcomes.len());
        Ok(Seen { outcomes, entries, additions })
    }
}

impl Seen {
    fn each_request_left_one_entry(&self) {
        assert_eq!(failed(&self.outcomes), 0, "{:?}", statuses(&self.outcomes));
        assert_eq!(self.entries, self.outcomes.len() as u64);
    }

    fn some_ran_twice(&self) {
        assert!(self.additions > self.entries, "{} times, {} entries", self.additions, self.entries);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_replicas_posts_are_sent_again_and_stored_once() -> anyhow::Result<()> {
    Protected::new("killed", "strategy: active-standby").await?.loses_a_replica(true).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_frozen_replica_runs_late_is_stored_once() -> anyhow::Result<()> {
    let book = Protected::new("frozen", "strategy: active-standby").await?;
    let running = book.load(true).start().await?;
    running.reach(FAULT).await;
    let busy = book.busy().await?;
    book.replicas[busy].process().freeze()?;
    running.reach(FAULT * 2).await;
    book.replicas[busy].process().thaw()?;
    let seen = book.seen(running.finish().await).await?;
    seen.each_request_left_one_entry();
    seen.some_ran_twice();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_each_post_are_one_entry() -> anyhow::Result<()> {
    let book = Protected::new("copies", "strategy: request-replication").await?;
    let seen = book.seen(book.load(true).run().await?).await?;
    seen.each_request_left_one_entry();
    assert!(seen.additions > seen.entries * 3 / 2, "{} times of {}", seen.additions, seen.entries);
    Ok(())
}

/// Attempts of one request have its request id in common: where clients send no key, and the function's owner says that it
/// may run twice, that is enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_clients_key_attempts_are_known_by_the_request_id() -> anyhow::Result<()> {
    let book = Protected::new("idless", "strategy: active-standby; idempotent: \"true\"").await?;
    book.loses_a_replica(false).await
}
