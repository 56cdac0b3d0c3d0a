//! A chain of protected functions: a calls b, b calls c, each through the proxy. Extra attempts at one of them must not
//! multiply those at the next.

use std::collections::BTreeMap;
use std::time::Duration;

use steadfaas_core::envoy::ATTEMPT_HEADER;
use steadfaas_tests::bootstrap::Bootstrap;
use steadfaas_tests::deployment::Deployment;
use steadfaas_tests::fib::Options;
use steadfaas_tests::load::{Load, Running};
use steadfaas_tests::record::{Outcome, failed, statuses};
use steadfaas_tests::scripted::Behaviour;
use steadfaas_tests::stage::{Function, Stage};

const POLICY: &str = "strategy: active-standby";

/// Requests a second.
const RATE: f64 = 50.0;

/// When the fault begins: the filter knows each function's pace by then.
const FAULT: Duration = Duration::from_secs(3);

/// What a container needs to start anew.
const AWAY: Duration = Duration::from_secs(2);

struct Chain {
    a: Function,
    b: Function,
    c: Deployment,
    stage: Stage,
    c_before: u64,
}

/// What became of the requests of a client of a.
struct Seen {
    outcomes: Vec<Outcome>,
    /// Those that were under way after the fault had begun and before it was over.
    met: u64,
    /// Executions of a, b and c.
    executions: [u64; 3],
}

impl Chain {
    async fn new() -> anyhow::Result<Self> {
        let a = Function::new("a", 2, POLICY).await?;
        let b = Function::new("b", 2, POLICY).await?;
        let c = Deployment::new("c", 2, &Options::TEN_MS, POLICY).await?;
        let functions = format!("functions:\n{}{}{}", a.entry()?, b.entry()?, c.entry()?);
        let bootstrap = Bootstrap::render(&functions, xtask::envoy::NEWEST)?;
        let stage = Stage::open(&bootstrap).await?;
        stage.wait_until_known(&c.name, c.replicas.len()).await?;
        for (function, host) in [(&b, "c.test"), (&a, "b.test")] {
            let calls = Behaviour::Calls { through: stage.target, host };
            function.replicas.iter().for_each(|replica| replica.behave(calls));
            stage.wait_for_view(function).await?;
        }
        [&a, &b].into_iter().for_each(Function::forget);
        let c_before = c.counts()?.executions;
        Ok(Self { a, b, c, stage, c_before })
    }

    async fn start(&self) -> anyhow::Result<Running> {
        let mut load = Load::new(self.stage.target, RATE, 7.0);
        load.host = Some(self.a.host());
        let running = load.start().await?;
        running.reach(FAULT).await;
        Ok(running)
    }

    async fn finish(&self, running: Running, over: Duration) -> anyhow::Result<Seen> {
        let outcomes = running.finish().await;
        // What a thawed replica was sent it runs now.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let met = outcomes.iter().filter(|outcome| outcome.is_during(FAULT, over)).count() as u64;
        let executions = [
            self.a.executions() as u64,
            self.b.executions() as u64,
            self.c.counts()?.executions - self.c_before,
        ];
        println!(
            "{} requests, {met} met the fault; executions of a, b and c: {executions:?}",
            outcomes.len()
        );
        Ok(Seen { outcomes, met, executions })
    }

    /// The replica of c that gets the requests.
    fn busy(&self) -> anyhow::Result<usize> {
        let counts = self.c.replicas.iter().map(|replica| Ok(replica.counts()?.executions));
        let counts = counts.collect::<anyhow::Result<Vec<_>>>()?;
        Ok(counts.iter().enumerate().max_by_key(|(_, count)| **count).map_or(0, |(place, _)| place))
    }
}

impl Seen {
    fn none_failed(&self) {
        assert_eq!(failed(&self.outcomes), 0, "{:?}", statuses(&self.outcomes));
    }

    /// Each hop adds at most one execution for each request that met the fault, and what the budget allows a busy
    /// machine: one, two, three in the row, where multiplying would make it one, three, seven.
    fn extra_attempts_add_up_and_do_not_multiply(&self) {
        let requests = self.outcomes.len() as u64;
        for (hop, executions) in (1..).zip(self.executions) {
            let most = requests + hop * (self.met + requests / 10);
            assert!(executions <= most, "hop {hop} runs {executions} times, not at most {most}");
        }
    }
}

/// How often each request ran on its most repeated one.
fn most_runs(runs: &BTreeMap<String, u32>) -> u32 {
    runs.values().copied().max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_killed_replica_at_the_end_of_the_chain_costs_its_caller_only() -> anyhow::Result<()> {
    let mut chain = Chain::new().await?;
    let running = chain.start().await?;
    let busy = chain.busy()?;
    chain.c.replicas[busy].kill()?;
    let seen = chain.finish(running, FAULT + Duration::from_millis(100)).await?;
    seen.none_failed();
    seen.extra_attempts_add_up_and_do_not_multiply();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_frozen_replica_at_the_end_of_the_chain_does_not_multiply_attempts() -> anyhow::Result<()> {
    let chain = Chain::new().await?;
    let running = chain.start().await?;
    let busy = &chain.c.replicas[chain.busy()?];
    busy.freeze()?;
    tokio::time::sleep(AWAY).await;
    busy.thaw()?;
    let seen = chain.finish(running, FAULT + AWAY).await?;
    seen.none_failed();
    seen.extra_attempts_add_up_and_do_not_multiply();
    // Of three tries at each hop, three times three times three would be 27; of two each, eight.
    let (a, b) = (most_runs(&chain.a.runs()), most_runs(&chain.b.runs()));
    assert!(a <= 3 && b <= 5, "a request ran {a} times at a, {b} times at b");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_at_the_end_of_the_chain_is_waited_out_without_multiplying() -> anyhow::Result<()> {
    let mut chain = Chain::new().await?;
    let running = chain.start().await?;
    chain.c.kill()?;
    tokio::time::sleep(AWAY).await;
    chain.c.restart().await?;
    let back = running.started().elapsed();
    let seen = chain.finish(running, back).await?;
    let in_flight = |outcome: &&Outcome| outcome.due <= FAULT + Duration::from_millis(100);
    let bad: Vec<_> = seen.outcomes.iter().filter(|outcome| !outcome.got.is_good()).collect();
    assert!(bad.iter().all(in_flight), "only what was in flight may fail: {bad:?}");
    seen.extra_attempts_add_up_and_do_not_multiply();
    Ok(())
}

/// Envoy counts the attempts of each call anew: what a function is told is the number of its own attempt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_function_is_told_the_number_of_its_own_attempt() -> anyhow::Result<()> {
    let chain = Chain::new().await?;
    chain.stage.all_answer(&chain.a, 3).await?;
    for function in [&chain.a, &chain.b] {
        for execution in function.replicas.iter().flat_map(|replica| replica.ledger().executions()) {
            assert_eq!(execution.header(ATTEMPT_HEADER), "1", "{}", function.name);
        }
    }
    Ok(())
}
