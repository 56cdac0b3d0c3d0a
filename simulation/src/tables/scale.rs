//! The tables of scale: one function behind many proxies, and many functions behind one.

use std::fmt::Write as _;

use anyhow::Result;
use steadfaas_core::memory::KINDS;
use steadfaas_core::policy::PolicyError;
use steadfaas_core::speed::WINDOW;

use super::faults::{count, signed};
use super::table;
use crate::load::{Arrivals, SECOND, in_millis};
use crate::parallel;
use crate::scenario::{Act, Scenario, Whom};
use crate::seen::Seen;

/// How many proxies there are in each row.
pub const PROXIES: [usize; 4] = [1, 10, 100, 1_000];

/// How many functions one proxy has.
const FUNCTIONS: u32 = 10_000;

/// Requests a second of all of them together.
const RATE_OF_ALL: f64 = 2_000.0;

/// The ranks of the functions, most called first, in bands: the last of each, and how many of it are simulated.
const BANDS: [(u32, u32); 4] = [(10, 10), (100, 15), (1_000, 30), (FUNCTIONS, 60)];

/// The whole document.
///
/// # Errors
/// The policy's own.
pub fn document() -> Result<String> {
    let mut text = INTRODUCTION.to_owned();
    let shared = parallel::each(&PROXIES, |proxies| line_of_proxies(*proxies, 2_000.0));
    let grown = parallel::each(&PROXIES, |proxies| line_of_proxies(*proxies, 10.0 * count(*proxies as u64)));
    let lines = [shared, grown].concat().into_iter().collect::<Result<Vec<_>, _>>()?;
    // Writing to a string can't fail.
    let _infallible = write!(
        text,
        "{}\n\n{AFTER_PROXIES}\n{}\n\n{}",
        table(&HEADER_OF_PROXIES, lines, true),
        table(&HEADER_OF_FUNCTIONS, lines_of_functions()?, true),
        after_functions()
    );
    Ok(text)
}

const HEADER_OF_PROXIES: [&str; 10] = [
    "proxies",
    "requests/s of each",
    "speed unknown %",
    "extra before %",
    "extra by the freeze",
    "of each proxy",
    "late",
    "p99 ms",
    "trials/s at the frozen one",
    "checks/s at the standby",
];

/// One function of 10 replicas, of which one freezes, behind so many proxies.
///
/// # Errors
/// The policy's own.
pub fn line_of_proxies(proxies: usize, rate: f64) -> Result<Vec<String>, PolicyError> {
    let (at, rest) = (60 * SECOND, 60 * SECOND);
    let scenario = Scenario {
        proxies,
        rate,
        replicas: 10,
        arrivals: Arrivals::Poisson,
        at,
        lasts: at + rest,
        acts: vec![(at, Act::Freeze(Whom::Busiest))],
        ..Scenario::default()
    };
    let seen = crate::run(&scenario)?;
    let (each, seconds) = (count(proxies as u64), in_millis(rest) / 1_000.0);
    Ok(vec![
        proxies.to_string(),
        format!("{}", rate / each),
        format!("{:.1}", seen.cold_percent),
        format!("{:.2}", seen.extra_percent_before),
        seen.extra_after.to_string(),
        format!("{:.1}", signed(seen.extra_after) / each),
        seen.late_after.to_string(),
        format!("{:.1}", seen.p99_ms),
        format!("{:.1}", count(seen.trials_after) / seconds),
        format!("{:.1}", count(seen.checks_after - seen.trials_after) / seconds),
    ])
}

const HEADER_OF_FUNCTIONS: [&str; 9] = [
    "functions",
    "simulated",
    "requests/s of each",
    "speed unknown %",
    "extra before %",
    "extra by the freeze, each",
    "late, each",
    "failed",
    "checks/s, all",
];

/// A band of functions that are called about as often.
struct Band {
    first: u32,
    last: u32,
    seen: Vec<(f64, Seen)>,
}

fn lines_of_functions() -> Result<Vec<Vec<String>>, PolicyError> {
    let mut first = 1;
    let mut bands = Vec::new();
    for (last, simulated) in BANDS {
        let ranks: Vec<u32> = (0..simulated).map(|n| first + (last - first + 1) * n / simulated).collect();
        let seen = parallel::each(&ranks, |rank| one_of_many(*rank)).into_iter().collect::<Result<_, _>>()?;
        bands.push(Band { first, last, seen });
        first = last + 1;
    }
    Ok(bands.iter().map(Band::line).collect())
}

/// The function of this rank: its rate, and what was seen of it when one of its two replicas froze.
fn one_of_many(rank: u32) -> Result<(f64, Seen), PolicyError> {
    let all: f64 = (1..=FUNCTIONS).map(|rank| 1.0 / f64::from(rank)).sum();
    let rate = RATE_OF_ALL / all / f64::from(rank);
    let at = 600 * SECOND;
    let scenario = Scenario {
        rate,
        arrivals: Arrivals::Poisson,
        at,
        lasts: at + 300 * SECOND,
        acts: vec![(at, Act::Freeze(Whom::Busiest))],
        seed: u64::from(rank),
        ..Scenario::default()
    };
    Ok((rate, crate::run(&scenario)?))
}

impl Band {
    fn line(&self) -> Vec<String> {
        let simulated = count(self.seen.len() as u64);
        let functions = f64::from(self.last - self.first + 1);
        let sum = |number: fn(&Seen) -> f64| self.seen.iter().map(|(_, seen)| number(seen)).sum::<f64>();
        let requests = sum(|seen| count(seen.requests));
        let before = sum(|seen| seen.extra_percent_before * count(seen.requests));
        let cold = sum(|seen| seen.cold_percent * count(seen.requests));
        let rates = self.seen.iter().map(|(rate, _)| *rate);
        vec![
            format!("{} to {}", self.first, self.last),
            format!("{simulated}"),
            format!("{:.2} to {:.2}", rates.clone().fold(0.0, f64::max), rates.fold(f64::MAX, f64::min)),
            format!("{:.1}", cold / requests),
            format!("{:.2}", before / requests),
            format!("{:.1}", sum(|seen| signed(seen.extra_after)) / simulated),
            format!("{:.2}", sum(|seen| count(seen.late_after)) / simulated),
            format!("{}", sum(|seen| count(seen.failed))),
            format!("{:.0}", sum(|seen| count(seen.checks)) / 900.0 / simulated * functions),
        ]
    }
}

/// Bytes of latencies that a worker keeps of a kind of requests: each of [`WINDOW`] twice, by age and by size.
const BYTES_OF_KIND: usize = WINDOW * 2 * 2;

fn after_functions() -> String {
    let (least, most) = (BYTES_OF_KIND, BYTES_OF_KIND * KINDS);
    let functions = usize::try_from(FUNCTIONS).unwrap_or_default();
    format!(
        "A function that is called less often than four times in the proxy's life is one whose speed isn't known: its\n\
         requests are hedged after a second, and what was sent to a replica that froze is late by that much, but answered.\n\
         \n\
         Of a function a worker keeps {least} bytes of latencies for one kind of requests and {most} for {KINDS}, the most\n\
         that it tells apart: {:.1} to {:.0} MB for {functions} functions. They have nothing in common, so what one costs\n\
         doesn't depend on how many there are.\n",
        megabytes(least * functions),
        megabytes(most * functions),
    )
}

fn megabytes(bytes: usize) -> f64 {
    count(bytes as u64) / 1e6
}

const INTRODUCTION: &str = "# Scale

Made by `cargo simulate scale > docs/scale.md`: the state machines of the filter in the simulation, where one machine can
be a thousand proxies. Proxies tell each other nothing. Each learns a function's speed, finds a replica that froze, and
tries it again, from its own requests alone.

## One function behind many proxies

A function of 10 ms with ten replicas, `active-standby`; after a minute the replica with most requests freezes and stays
frozen for another minute. Above, 2,000 requests a second are shared by ever more proxies; below, each brings ten.
*Speed unknown*: requests planned before their proxy knew how long the function takes. *Late*: requests that failed or
took more than 100 ms after the freeze. *Checks*: requests led to the standby to hear whether it still answers; they cost
no extra attempt.

";

const AFTER_PROXIES: &str = "Each proxy has to find the frozen replica itself: the price of a fault grows with the number of proxies, not with the
load, as long as each has sent it something. Trials of a suspect come ever more rarely, down to one in 8 s and proxy, and
no oftener than a proxy has requests. Each leaves a connection behind that the frozen process hasn't accepted; when its
kernel has no room for more of them, which a thousand proxies reach within half a minute, a trial runs nothing twice any
more, but is late by the 100 ms that a connection may take.

## Many functions behind one proxy

10,000 functions of 10 ms with two replicas, `active-standby`, called 2,000 times a second together: the most called one
twice as often as the second and n times as often as the one of rank n (Zipf). After ten minutes one replica of each
function freezes, all at once, and stays frozen for five: in that time most extra attempts are its trials. Of each band
of ranks some functions are simulated.
";
