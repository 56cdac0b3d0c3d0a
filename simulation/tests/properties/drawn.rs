//! Scenarios drawn by chance.

use proptest::prelude::*;
use proptest::sample::select;
use steadfaas_simulation::load::{Arrivals, MS, SECOND, Service, Time};
use steadfaas_simulation::replica::Manners;
use steadfaas_simulation::scenario::{Act, Scenario, Whom};

/// Where from scenarios are drawn.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    pub(crate) faults: Vec<Fault>,
    pub(crate) functions: Functions,
    pub(crate) arrivals: Vec<Arrivals>,
    pub(crate) repeatable: f64,
}

/// What functions are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Functions {
    /// Constant, or lognormal with little spread.
    Steady,
    /// Anything.
    Any,
}

/// What happens. Those of one replica begin at the scenario's moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    Kill,
    Freeze,
    Lose,
    Slow,
    Unavailable,
    Resets,
    Flap,
    FrozenForAWhile,
    DeadForAWhile,
    SlowForAWhile,
    Straggle,
    Shift,
    Stall,
}

impl Fault {
    pub(crate) const OF_ONE: [Self; 8] = [
        Self::Kill,
        Self::Freeze,
        Self::Lose,
        Self::Slow,
        Self::Unavailable,
        Self::Flap,
        Self::FrozenForAWhile,
        Self::DeadForAWhile,
    ];

    pub(crate) const THAT_END: [Self; 4] =
        [Self::FrozenForAWhile, Self::DeadForAWhile, Self::SlowForAWhile, Self::Stall];

    const ALL: [Self; 14] = [
        Self::None,
        Self::Kill,
        Self::Freeze,
        Self::Lose,
        Self::Slow,
        Self::Unavailable,
        Self::Resets,
        Self::Flap,
        Self::FrozenForAWhile,
        Self::DeadForAWhile,
        Self::SlowForAWhile,
        Self::Straggle,
        Self::Shift,
        Self::Stall,
    ];

    fn acts(self, at: Time) -> Vec<(Time, Act)> {
        let (one, all, calm) = (Whom::Busiest, Whom::All, Manners::default());
        let later = at + 2 * SECOND;
        match self {
            Self::None => Vec::new(),
            Self::Kill => vec![(at, Act::Kill(one))],
            Self::Freeze => vec![(at, Act::Freeze(one))],
            Self::Lose => vec![(at, Act::Lose(one))],
            Self::Slow => vec![(at, Act::Behave(one, Manners::slow(200.0)))],
            Self::Unavailable => vec![(at, Act::Behave(one, Manners { unavailable_share: 1.0, ..calm }))],
            Self::Resets => vec![(at, Act::Behave(one, Manners { reset_share: 0.1, ..calm }))],
            Self::Flap => {
                let half = 500 * MS;
                let lives = (0..4).map(|life| at + 2 * life * half);
                lives.flat_map(|at| [(at, Act::Kill(one)), (at + half, Act::Restart(one))]).collect()
            }
            Self::FrozenForAWhile => vec![(at, Act::Freeze(one)), (later, Act::Thaw(one))],
            Self::DeadForAWhile => vec![(at, Act::Kill(one)), (later, Act::Restart(one))],
            Self::SlowForAWhile => {
                vec![(at, Act::Behave(one, Manners::slow(200.0))), (later, Act::Behave(one, calm))]
            }
            Self::Straggle => {
                vec![(at, Act::Behave(all, Manners { slow_share: 0.05, ..Manners::slow(200.0) }))]
            }
            Self::Shift => vec![(at, Act::Behave(all, Manners::slow(150.0)))],
            Self::Stall => vec![(at, Act::Freeze(all)), (later, Act::Thaw(all))],
        }
    }
}

impl Drawn {
    pub(crate) fn anything() -> Self {
        let arrivals = vec![Arrivals::Constant, Arrivals::Poisson, Arrivals::Burst];
        Self { faults: Fault::ALL.to_vec(), functions: Functions::Any, arrivals, repeatable: 1.0 }
    }

    /// The simplest first: it is where a failing scenario is led when it is made smaller.
    pub(crate) fn scenarios(&self) -> impl Strategy<Value = Scenario> + use<> {
        let (repeatable, functions) = (self.repeatable, self.functions);
        let size = (2_usize..=6).prop_union(2_usize..=50);
        let rate = select(vec![200.0, 50.0, 10.0, 2.0, 1.0, 1_000.0, 10_000.0]);
        let arrivals = select(self.arrivals.clone());
        let strategy = select(vec!["active-standby", "retry", "hedged"]);
        let load = (rate, arrivals, service(functions), any::<bool>());
        (select(self.faults.clone()), load, size, 1_usize..=8, strategy, 0_u64..1_000).prop_map(
            move |(fault, (rate, arrivals, service, is_limited), replicas, workers, strategy, seed)| {
                let scenario = timed(rate, workers);
                let concurrency = if is_limited { enough(rate, replicas) } else { usize::MAX };
                let acts = fault.acts(scenario.at);
                let (name, usual) = (format!("{fault:?}"), Scenario::default());
                Scenario {
                    name,
                    service,
                    arrivals,
                    replicas,
                    workers,
                    concurrency,
                    acts,
                    repeatable,
                    seed,
                    ..Scenario { settings: usual.settings, ..scenario }
                }
                .with("strategy", strategy)
            },
        )
    }
}

/// The load's length: the fault strikes when each worker knows the function, and there is time to recover.
fn timed(rate: f64, workers: usize) -> Scenario {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let warm = (64.0 * workers as f64 / rate).clamp(1.0, 300.0) as Time * SECOND;
    // A trial can fall due just before the end of a fault of 2 s, and the next one comes twice as late.
    let rest = if rate > 2_000.0 { 6 } else { 16 };
    Scenario { rate, at: warm, lasts: warm + rest * SECOND, ..Scenario::default() }
}

/// Workers enough for twice the load with one replica less. The slowest function drawn here takes 160 ms.
fn enough(rate: f64, replicas: usize) -> usize {
    const BUSY_SECONDS: f64 = 0.16;
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let busy = (2.0 * rate * BUSY_SECONDS / (replicas - 1) as f64).ceil() as usize;
    busy + 4
}

fn service(functions: Functions) -> BoxedStrategy<Service> {
    let steady = vec![
        Service::Constant(12.5),
        Service::Constant(1.0),
        Service::Constant(160.0),
        Service::Lognormal(12.5, 0.1),
        Service::Lognormal(12.5, 0.2),
        Service::Lognormal(40.0, 0.2),
    ];
    let wild = vec![
        Service::Lognormal(12.5, 0.5),
        Service::Lognormal(12.5, 1.0),
        Service::Bimodal(5.0, 50.0, 0.3),
        Service::HeavyTail(5.0, 1.5),
    ];
    select(if functions == Functions::Steady { steady } else { [steady, wild].concat() }).boxed()
}
