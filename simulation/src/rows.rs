//! The rows of the tables: the benchmark's faults at its usual load, and some of them at other loads.

use crate::load::{Arrivals, MS, SECOND, Service, Time};
use crate::replica::Manners;
use crate::scenario::{Act, Scenario, Whom};

/// How long a flapping replica is up, and down.
const FLAP: Time = 500 * MS;

/// How long its process takes to start.
const START: Time = 30 * MS;

/// What makes another row of one.
type Change = fn(Scenario) -> Scenario;

/// How long a storm's stall lasts.
const STALL: Time = 2 * SECOND;

/// How long a container takes to be started anew.
const RESTART: Time = 2 * SECOND;

/// A machine's pause: long against a hedge delay, short against a trial's wait.
const PAUSE: Time = 100 * MS;

/// A fault at the benchmark's usual load.
#[must_use]
pub fn faults() -> Vec<Scenario> {
    let one = Whom::Busiest;
    let behaves = |name, whom, manners| Scenario::of(name, Act::Behave(whom, manners));
    let straggles = Manners { slow_share: 0.05, ..Manners::slow(200.0) };
    vec![
        Scenario::of("kill", Act::Kill(one)),
        Scenario::of("freeze", Act::Freeze(one)),
        behaves("slow_fn", one, Manners::slow(200.0)),
        Scenario { lasts: 68 * SECOND, window: 60 * SECOND, ..behaves("straggle", Whom::All, straggles) },
        behaves("shift", Whom::All, Manners::slow(150.0)),
        storm(),
        Scenario::of("lost_node", Act::Lose(one)),
        behaves("answer_503", one, Manners { unavailable_share: 1.0, ..Manners::default() }),
        behaves("reset_10", one, Manners { reset_share: 0.1, ..Manners::default() }),
        flap(),
        calm("none", Service::Constant(10.0)),
        calm("lognormal", Service::Lognormal(10.0, 0.5)),
        Scenario {
            slow_path: Some(Service::Constant(80.0)),
            acts: vec![(20 * SECOND, Act::Freeze(one))],
            at: 20 * SECOND,
            lasts: 32 * SECOND,
            name: "paths".to_owned(),
            ..Scenario::default()
        },
    ]
}

/// Kill, freeze and a slow replica at other loads and sizes, and calm ones.
#[must_use]
pub fn loads() -> Vec<Scenario> {
    let variants: [(&str, Change); 11] = [
        ("2rps", |row| Scenario {
            rate: 2.0,
            lasts: 60 * SECOND,
            at: 30 * SECOND,
            window: 20 * SECOND,
            ..row
        }),
        ("2rps_4workers", |row| Scenario {
            rate: 2.0,
            workers: 4,
            lasts: 90 * SECOND,
            at: 60 * SECOND,
            window: 20 * SECOND,
            ..row
        }),
        ("2000rps", |row| Scenario { rate: 2_000.0, ..row }),
        ("2000rps_4workers", |row| Scenario { rate: 2_000.0, workers: 4, ..row }),
        ("10000rps_8workers_10replicas", |row| Scenario {
            rate: 10_000.0,
            workers: 8,
            replicas: 10,
            lasts: 13 * SECOND,
            ..row
        }),
        ("4workers", |row| Scenario { workers: 4, ..row }),
        ("3replicas", |row| Scenario { replicas: 3, ..row }),
        ("5replicas", |row| Scenario { replicas: 5, ..row }),
        ("50replicas", |row| Scenario { replicas: 50, rate: 1_000.0, ..row }),
        ("poisson", |row| Scenario { arrivals: Arrivals::Poisson, ..row }),
        ("burst", |row| Scenario { arrivals: Arrivals::Burst, ..row }),
    ];
    let chosen = ["kill", "freeze", "slow_fn", "none"];
    let of = |row: &Scenario| {
        let row = row.clone();
        variants.map(|(variant, change)| {
            let mut changed = change(row.clone());
            changed.acts = row.acts.iter().map(|(_, act)| (changed.at, *act)).collect();
            changed.name = format!("{}_{variant}", row.name);
            changed
        })
    };
    faults().iter().filter(|row| chosen.contains(&row.name.as_str())).flat_map(of).collect()
}

/// What the benchmark has no row for: faults that end, or end for one of two replicas, or come together, one before the
/// function's speed is known, a replica that is slow but not too slow to answer, and a function of uneven speed with many
/// requests.
#[must_use]
pub fn others() -> Vec<Scenario> {
    let (one, usual) = (Whom::Busiest, Scenario::default());
    let ends = |name: &str, begin, end, after| Scenario {
        name: name.to_owned(),
        acts: vec![(usual.at, begin), (usual.at + after, end)],
        lasts: usual.lasts + 20 * SECOND,
        ..usual.clone()
    };
    let cold = 50 * MS;
    vec![
        ends("blink", Act::Kill(one), Act::Restart(one), START),
        ends("thaw", Act::Freeze(one), Act::Thaw(one), 10 * SECOND),
        ends("half_thaw", Act::Freeze(Whom::All), Act::Thaw(one), STALL),
        dies_after_pause(),
        Scenario {
            at: cold,
            acts: vec![(cold, Act::Freeze(one))],
            ..Scenario::of("freeze_cold", Act::Freeze(one))
        },
        Scenario::of("slow_30ms_retry", Act::Behave(one, Manners::slow(30.0))).with("strategy", "retry"),
        Scenario {
            rate: 2_000.0,
            lasts: 20 * SECOND,
            ..calm("lognormal_2000rps", Service::Lognormal(10.0, 0.5))
        },
    ]
}

/// The machine pauses, and then one replica's container dies and is started anew: its sidecar answers 503 for it until then.
fn dies_after_pause() -> Scenario {
    let (usual, one) = (Scenario::default(), Whom::Busiest);
    let dead = Manners { unavailable_share: 1.0, ..Manners::default() };
    let over = usual.at + PAUSE;
    Scenario {
        name: "pause_503".to_owned(),
        acts: vec![
            (usual.at, Act::Freeze(Whom::All)),
            (over, Act::Thaw(Whom::All)),
            (over, Act::Behave(one, dead)),
            (over + RESTART, Act::Behave(one, Manners::default())),
        ],
        ..usual
    }
}

fn storm() -> Scenario {
    let usual = Scenario::default();
    Scenario {
        name: "storm".to_owned(),
        service: Service::Constant(2.0),
        concurrency: 1,
        acts: vec![(usual.at, Act::Freeze(Whom::All)), (usual.at + STALL, Act::Thaw(Whom::All))],
        ..usual
    }
}

fn flap() -> Scenario {
    let usual = Scenario::default();
    let lives = (0..).map(|life| usual.at + 2 * life * FLAP).take_while(|at| at + FLAP < usual.lasts);
    let acts = lives
        .flat_map(|at| [(at, Act::Kill(Whom::Busiest)), (at + FLAP + START, Act::Restart(Whom::Busiest))]);
    Scenario { name: "flap".to_owned(), acts: acts.collect(), ..usual }
}

fn calm(name: &str, service: Service) -> Scenario {
    let minute = 60 * SECOND;
    Scenario { name: name.to_owned(), service, lasts: minute, at: 0, window: minute, ..Scenario::default() }
}
