//! Who gets the load: the active replicas by what they have in flight, the standby what they can't take, and after a
//! change of scale whoever is there then.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use steadfaas_tests::deployment::Deployment;
use steadfaas_tests::fib::{Options, Replica};
use steadfaas_tests::load::{Arrivals, Running};
use steadfaas_tests::matrix::members;
use steadfaas_tests::pauses::{LONG_PAUSE, Pauses, RUNS};
use steadfaas_tests::record::{failed, statuses};
use steadfaas_tests::stage::Stage;
use tempfile::TempDir;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// What a standby and a leaving replica get all the same: one check in five seconds, a hedge now and then.
const FEW: u64 = 8;

/// How much each replica has executed.
fn executed(function: &Deployment) -> anyhow::Result<Vec<u64>> {
    function.replicas.iter().map(|replica| Ok(replica.counts()?.executions)).collect()
}

fn since(now: &[u64], before: &[u64]) -> Vec<u64> {
    now.iter().zip(before).map(|(now, before)| now - before).collect()
}

async fn with_work(times: &[u64], name: &str, settings: &str) -> anyhow::Result<Deployment> {
    let mut function = Deployment::new(name, 0, &Options::TEN_MS, settings).await?;
    for time in times {
        function.replicas.push(Replica::start(&Options { work: MS(*time), ..Options::TEN_MS }).await?);
    }
    Ok(function)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn active_replicas_share_evenly_and_the_standby_waits() -> anyhow::Result<()> {
    let function = with_work(&[10; 4], "even", "strategy: active-standby").await?;
    let stage = function.stage().await?;
    let before = executed(&function)?;
    let outcomes = function.load(&stage, 200.0, 4.0).run().await?;
    assert_eq!(failed(&outcomes), 0, "{:?}", statuses(&outcomes));
    let mut shares = since(&executed(&function)?, &before);
    println!("shares of four: {shares:?}");
    shares.sort_unstable();
    let fair = outcomes.len() as u64 / 3;
    assert!(shares[0] <= FEW, "one stands by: {shares:?}");
    assert!(shares[1..].iter().all(|share| *share >= fair * 3 / 4), "the others share: {shares:?}");
    Ok(())
}

/// One that takes twice as long has twice as much in flight of the same share, and so gets less.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slower_machine_gets_less() -> anyhow::Result<()> {
    let function = with_work(&[20, 20, 40], "uneven", "strategy: retry").await?;
    let stage = function.stage().await?;
    let before = executed(&function)?;
    let outcomes = function.load(&stage, 200.0, 4.0).run().await?;
    assert_eq!(failed(&outcomes), 0, "{:?}", statuses(&outcomes));
    let shares = since(&executed(&function)?, &before);
    println!("shares of 20, 20 and 40 ms: {shares:?}");
    let [one, two, slow] = shares[..] else { anyhow::bail!("three replicas") };
    assert!(slow > 0 && 4 * slow < 3 * one.min(two), "{shares:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_active_replica_spills_to_the_standby() -> anyhow::Result<()> {
    let one_at_a_time = Options { concurrency: Some(1), ..Options::TEN_MS };
    // Without hedges whatever reaches the standby was spilled.
    let settings = "strategy: active-standby; budget: 0%";
    let function = Deployment::new("full", 2, &one_at_a_time, settings).await?;
    let stage = function.stage().await?;
    let before = executed(&function)?;
    // One at a time while it is calm, then 30 at once: the active one needs 300 ms for those.
    let calm = function.load(&stage, 20.0, 2.0).run().await?;
    let (quiet, requests) = (since(&executed(&function)?, &before), calm.len() as u64);
    let standby = if quiet[0] < quiet[1] { 0 } else { 1 };
    assert!(quiet[standby] <= 2 && quiet[1 - standby] + 2 >= requests, "{quiet:?}");
    let before = executed(&function)?;
    let mut load = function.load(&stage, 150.0, 2.0);
    load.arrivals = Arrivals::Burst;
    let outcomes = load.run().await?;
    assert_eq!(failed(&outcomes), 0, "{:?}", statuses(&outcomes));
    let shares = since(&executed(&function)?, &before);
    println!("shares of bursts, active and standby: {} and {}", shares[1 - standby], shares[standby]);
    assert!(shares[standby] >= outcomes.len() as u64 / 5, "the standby helps: {shares:?}");
    assert!(shares[1 - standby] >= outcomes.len() as u64 / 5, "the active one goes on: {shares:?}");
    Ok(())
}

/// A function of ten processes, some of which are members.
struct Scaled {
    function: Deployment,
    folder: TempDir,
    stage: Stage,
}

const ALL: usize = 10;
const FIRST: usize = 2;

/// Few enough requests a second that a busy machine makes no replica fall silent, which would be a reason to change
/// roles.
const RATE: f64 = 80.0;

/// How long a change needs until nobody goes by what was before: the proxy reads the members at once, the filter asks
/// for them every second.
const SETTLED: Duration = Duration::from_millis(2_000);

impl Scaled {
    async fn new(strategy: &str) -> anyhow::Result<Self> {
        let function =
            Deployment::new(strategy, ALL, &Options::TEN_MS, &format!("strategy: {strategy}")).await?;
        let folder = TempDir::with_prefix("members-")?;
        let mut bootstrap = function.bootstrap()?;
        let file = members_file(folder.path());
        bootstrap.take_members_from(strategy, &file)?;
        members::write(&file, strategy, &first(&function, FIRST))?;
        let stage = Stage::open(&bootstrap).await?;
        stage.wait_until_known(strategy, FIRST).await?;
        Ok(Self { function, folder, stage })
    }

    fn scale(&self, count: usize) -> anyhow::Result<()> {
        members::write(&members_file(self.folder.path()), &self.function.name, &first(&self.function, count))
    }

    /// What each replica executes in each of two halves of a phase that ends at `end`.
    async fn halves(
        &self,
        running: &Running,
        from: Duration,
        end: Duration,
    ) -> anyhow::Result<[Vec<u64>; 2]> {
        running.reach(from).await;
        let first = executed(&self.function)?;
        running.reach((from + end) / 2).await;
        let second = executed(&self.function)?;
        running.reach(end).await;
        let last = executed(&self.function)?;
        Ok([since(&second, &first), since(&last, &second)])
    }
}

fn first(function: &Deployment, count: usize) -> Vec<SocketAddr> {
    function.addresses().into_iter().take(count).collect()
}

fn members_file(folder: &Path) -> PathBuf {
    folder.join("members.json")
}

/// The replicas that carry the load.
fn busy(shares: &[u64]) -> BTreeSet<usize> {
    shares.iter().enumerate().filter(|(_, share)| **share > FEW).map(|(place, _)| place).collect()
}

/// What each replica executed, in halves of each phase.
#[derive(Debug)]
struct Phases {
    small: [Vec<u64>; 2],
    large: [Vec<u64>; 2],
    again: [Vec<u64>; 2],
}

async fn scale_out_and_in(strategy: &str) -> anyhow::Result<Phases> {
    let scaled = Scaled::new(strategy).await?;
    let running = scaled.function.load(&scaled.stage, RATE, 19.0).start().await?;
    let second = Duration::from_secs(1);
    let small = scaled.halves(&running, second, 3 * second).await?;
    scaled.scale(ALL)?;
    let large = scaled.halves(&running, 3 * second + SETTLED, 11 * second).await?;
    scaled.scale(FIRST)?;
    let again = scaled.halves(&running, 11 * second + SETTLED, 17 * second).await?;
    let outcomes = running.finish().await;
    assert_eq!(failed(&outcomes), 0, "{strategy}: {:?}", statuses(&outcomes));
    Ok(Phases { small, large, again })
}

impl Phases {
    /// What should be and isn't, where so many of ten and of two replicas carry the load.
    fn complaint(&self, of_ten: usize, of_two: usize) -> Option<&'static str> {
        let Self { small, large, again } = self;
        for (halves, count) in [(small, of_two), (large, of_ten), (again, of_two)] {
            let carriers = busy(&halves[0]);
            if carriers.len() != count {
                return Some("nothing idles");
            }
            if carriers != busy(&halves[1]) {
                return Some("nothing flaps");
            }
        }
        if busy(&small[0]) != busy(&again[0]) {
            return Some("the same ones as before");
        }
        // Twice a fair share, or half of it, would be a strange kind of least requests in flight.
        let fair = large[0].iter().sum::<u64>() / of_ten as u64;
        if large[0].iter().any(|share| *share > FEW && !(fair / 2..=2 * fair).contains(share)) {
            return Some("who carries the load shares it");
        }
        let gone: u64 = again.iter().flat_map(|half| half.iter().skip(FIRST)).sum();
        (gone > 0).then_some("who left gets nothing")
    }
}

/// A machine that pauses makes well replicas silent, and who is silent changes its role: then it is tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_scaling_out_and_in_nothing_idles_and_nothing_flaps() -> anyhow::Result<()> {
    // Of ten, active-standby keeps one back, of two one as well.
    for (strategy, of_ten, of_two) in [("retry", 10, 2), ("active-standby", 9, 1)] {
        for more_runs in (0..RUNS).rev() {
            let pauses = Pauses::watch();
            let phases = scale_out_and_in(strategy).await?;
            let pause = pauses.longest();
            println!("{strategy}, longest pause {pause:.0?}: {phases:?}");
            let Some(complaint) = phases.complaint(of_ten, of_two) else { break };
            let is_excused = more_runs > 0 && pause >= LONG_PAUSE;
            assert!(is_excused, "{strategy}: not so: {complaint}: {phases:?}");
        }
    }
    Ok(())
}
