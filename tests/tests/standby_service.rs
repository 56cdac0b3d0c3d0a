//! Another service stands by: it gets requests as soon as no own replica is well, and next to none before or after.

use std::time::Duration;

use steadfaas_tests::deployment::Deployment;
use steadfaas_tests::fib::Options;
use steadfaas_tests::record::{Outcome, statuses};

/// Requests a second.
const RATE: f64 = 100.0;

/// When all own replicas die: the filter knows the function's pace by then.
const KILLED: Duration = Duration::from_secs(3);

/// Between the first signal and the death of the last process.
const TO_DIE: Duration = Duration::from_millis(100);

/// How long they are away.
const AWAY: Duration = Duration::from_secs(3);

/// Requests in flight at a moment: each takes some 10 ms; the rest is for a busy machine.
const IN_FLIGHT: usize = 10;

/// All next requests have to go to the standby after this.
const SWITCHED: Duration = Duration::from_secs(1);

/// An own replica that is back is tried again at the latest so much later.
const BACK: Duration = Duration::from_secs(9);

/// Over so long it is seen who answers at last.
const LAST: Duration = Duration::from_secs(2);

/// Requests that the standby may get of the first three hundred.
const STRAYS: u64 = 6;

/// All requests, and what the standby ran while the own replicas were well, while they were away, and at last.
struct Seen {
    outcomes: Vec<Outcome>,
    standby: [u64; 3],
}

async fn lose_all(name: &str, strategy: &str) -> anyhow::Result<Seen> {
    let standby = Deployment::new("standby", 2, &Options::TEN_MS, "strategy: retry").await?;
    let addresses: Vec<String> = standby.addresses().iter().map(ToString::to_string).collect();
    let settings =
        format!("strategy: {strategy}; idempotent: \"true\"; standby-service: \"{}\"", addresses.join(","));
    let mut function = Deployment::new(name, 2, &Options::TEN_MS, &settings).await?;
    let stage = function.stage().await?;
    let seconds = (KILLED + AWAY + BACK + LAST).as_secs_f64();
    let running = function.load(&stage, RATE, seconds).start().await?;
    let ran = || anyhow::Ok(standby.counts()?.executions);
    running.reach(KILLED).await;
    let before = ran()?;
    function.kill()?;
    running.reach(KILLED + AWAY).await;
    function.restart().await?;
    let away = ran()? - before;
    running.reach(KILLED + AWAY + BACK).await;
    let since = ran()?;
    let outcomes = running.finish().await;
    Ok(Seen { outcomes, standby: [before, away, ran()? - since] })
}

/// What was in flight when all own replicas died may have no attempt left.
fn the_standby_takes_over(seen: &Seen) {
    let Seen { outcomes, standby } = seen;
    let [before, away, at_last] = *standby;
    println!(
        "the standby ran {before} before, {away} meanwhile, {at_last} at last; {:?}",
        statuses(outcomes)
    );
    let bad = outcomes.iter().filter(|outcome| !outcome.got.is_good());
    let (in_flight, others): (Vec<&Outcome>, Vec<&Outcome>) =
        bad.partition(|outcome| outcome.is_during(KILLED, KILLED + TO_DIE));
    assert!(others.is_empty(), "{others:?}");
    assert!(in_flight.len() <= IN_FLIGHT, "{in_flight:?}");
    let late = |outcome: &&Outcome| {
        outcome.due > KILLED + SWITCHED && outcome.due < KILLED + AWAY && outcome.latency > SWITCHED
    };
    assert_eq!(outcomes.iter().filter(late).count(), 0, "they are answered at once");
    // On a busy machine a request may be late at both own replicas, or one of these not be trusted again yet.
    assert!(before <= STRAYS, "it only stands by while own replicas are well: {before}");
    assert!(at_last as f64 <= RATE * LAST.as_secs_f64() / 2.0, "the own replicas are back: {at_last}");
    let most_of_them = RATE * (AWAY - SWITCHED).as_secs_f64();
    assert!(away as f64 >= most_of_them, "{away} of at least {most_of_them}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn active_standby_goes_to_the_other_service_and_back() -> anyhow::Result<()> {
    the_standby_takes_over(&lose_all("pair", "active-standby").await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_are_run_by_the_other_service_and_then_by_the_own_replicas_again() -> anyhow::Result<()> {
    the_standby_takes_over(&lose_all("copies", "request-replication").await?);
    Ok(())
}
