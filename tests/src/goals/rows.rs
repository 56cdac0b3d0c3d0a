//! The goals: one entry a fault, and the loads at which two of them are to hold as well.

use super::Row;
use super::limit::Limit;
use super::limit::Number::{self, *};
use crate::load::Arrivals;
use crate::trial::Scenario;

/// Rows that are run together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Every fault, at the usual load.
    Table,
    /// Kill and freeze at other loads, with more workers, with more replicas.
    Scale,
}

/// Each fault with its limits.
const GOALS: [(&str, &[Limit]); 14] = [
    ("kill", KILL),
    ("freeze", FREEZE),
    ("slow_all", &[most(Failed, 0.0), most(P99, 28.0), most(Extra, 12.0)]),
    ("slow_fn", &[most(Failed, 0.0), most(P50Rise, 1.0), most(P99, 28.0), most(Extra, 12.0)]),
    ("straggle", &[most(Failed, 0.0), most(P99, 32.0), most(ExtraPercent, 6.0)]),
    ("shift", &[most(Failed, 0.0), most(ExtraPercent, 1.5)]),
    ("storm", &[most(Failed, 0.0), most(WellAfter, 700.0), most(AttemptsRatio, 1.05)]),
    ("lost_node", &[most(Failed, 0.0), most(Gap, 130.0), most(Extra, 15.0)]),
    ("answer_503", &[most(Failed, 0.0), most(Extra, 12.0)]),
    ("reset_10", &[most(Failed, 0.0), most(ExtraPercent, 12.0)]),
    ("flap", &[most(Failed, 0.0), most(ExtraPercent, 3.0)]),
    ("none", &[most(Failed, 0.0), most(ExtraPercent, CALM_PERCENT)]),
    ("lognormal", &[most(Failed, 0.0), most(ExtraPercent, 10.0), most(P99Ratio, 0.94)]),
    // Freeze as above, on the fast path; the slow one has its own time.
    (
        "paths",
        &[
            most(Failed, 0.0),
            most(ExtraPercentBefore, 1.0),
            most(Gap, 20.0),
            most(Max, 32.0),
            most(ExtraAfter, 12.0),
        ],
    ),
];

const KILL: &[Limit] = &[most(Failed, 0.0), most(Gap, 14.0), most(P99, 15.0), most(Extra, 3.0)];
const FREEZE: &[Limit] = &[most(Failed, 0.0), most(Gap, 20.0), most(Max, 32.0), most(Extra, 12.0)];

/// Extra attempts where nothing is wrong, in percent of the requests.
const CALM_PERCENT: f64 = 0.5;

const fn most(number: Number, most: f64) -> Limit {
    Limit::of(number, most)
}

/// How a row of the second group differs from the usual.
struct Variant {
    name: &'static str,
    rate: f64,
    workers: u32,
    replicas: u8,
    arrivals: Arrivals,
}

const USUAL: Variant =
    Variant { name: "", rate: 200.0, workers: 1, replicas: 2, arrivals: Arrivals::Constant };

const VARIANTS: [Variant; 9] = [
    Variant { name: "2rps", rate: 2.0, ..USUAL },
    Variant { name: "2rps_4workers", rate: 2.0, workers: 4, ..USUAL },
    Variant { name: "2000rps", rate: 2_000.0, ..USUAL },
    Variant { name: "2000rps_4workers", rate: 2_000.0, workers: 4, ..USUAL },
    Variant { name: "4workers", workers: 4, ..USUAL },
    Variant { name: "3replicas", replicas: 3, ..USUAL },
    Variant { name: "5replicas", replicas: 5, ..USUAL },
    Variant { name: "poisson", arrivals: Arrivals::Poisson, ..USUAL },
    Variant { name: "burst", arrivals: Arrivals::Burst, ..USUAL },
];

/// The rows of a group, in the order in which they are run and shown.
#[must_use]
pub fn rows(group: Group) -> Vec<Row> {
    let goals = GOALS.iter().filter_map(|(name, limits)| Some((Scenario::named(name)?, *limits)));
    match group {
        Group::Table => goals.map(|(scenario, limits)| row(scenario, limits, &USUAL)).collect(),
        Group::Scale => goals
            .filter(|(scenario, _)| ["kill", "freeze"].contains(&scenario.name))
            .flat_map(|(scenario, limits)| VARIANTS.iter().map(move |variant| row(scenario, limits, variant)))
            .collect(),
    }
}

fn row(scenario: Scenario, limits: &[Limit], variant: &Variant) -> Row {
    let grows = !variant.name.is_empty();
    let separator = if grows { "_" } else { "" };
    let limits = if grows { limits.iter().flat_map(at_other_load).collect() } else { limits.to_vec() };
    Row {
        name: format!("{}{separator}{}", scenario.name, variant.name),
        scenario,
        rate: variant.rate,
        arrivals: variant.arrivals,
        replicas: variant.replicas,
        workers: variant.workers,
        limits,
        grows,
    }
}

/// The same at another load: what a fault costs is held to what is in flight when it strikes, what comes before it to the
/// row in which nothing is wrong, for that goes by the number of requests.
fn at_other_load(limit: &Limit) -> Vec<Limit> {
    match limit.number {
        Extra => vec![most(ExtraAfter, limit.most), most(ExtraPercentBefore, CALM_PERCENT)],
        _ => vec![*limit],
    }
}
