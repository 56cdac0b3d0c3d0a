//! `catch-up`: the controller and what it works through are disturbed while functions are annotated, and each function
//! must be protected as it asks soon after, by one write of its EnvoyFilter.

mod api_server;
mod by_hand;
mod extension;
mod limits;
mod subset;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;

use crate::bare_functions::{BareFunctions, Filter};
use crate::cluster::layers::{self, Layer};
use crate::cluster::running::Running;
use crate::patience::Patience;

/// How many functions there are: some are written while a disturbance begins, and others wait for their turn.
const FUNCTIONS: usize = 20;

/// What it takes at most: connections that are gone without a word are noticed after 40 s; the rest is for a machine that does
/// other things too.
const PATIENCE: Patience = Patience { most: Duration::from_secs(90), every: Duration::from_millis(200) };

/// How long the API server is away.
const AWAY: Duration = Duration::from_secs(10);

/// The same where there is time.
const LONG_AWAY: Duration = Duration::from_secs(60);

/// All disturbances, one after the other; with `long` an API server that is away for a minute, and lost watches.
///
/// # Errors
/// A function isn't protected as it asks, or the cluster can't be disturbed.
pub fn run(running: &Running, long: bool) -> anyhow::Result<()> {
    layers::add(running, &[Layer::Istio, Layer::Steadfaas])?;
    let functions = BareFunctions::make(running.kubectl(), "catching-up", FUNCTIONS, "active-standby")?;
    let stage = Stage { running, functions };
    stage.settle("active-standby")?;
    stage.step("EnvoyFilters edited and deleted by hand", by_hand::edited)?;
    stage.step("the EnvoyFilter with the filter deleted and made anew", extension::replaced)?;
    stage.step("a subset made of a function's Service", subset::protected)?;
    stage.step("limits that can't be read", limits::said)?;
    let away = if long { LONG_AWAY } else { AWAY };
    stage.step("the API server away", |stage| api_server::away(stage, away))?;
    stage.step("the API server throttled", api_server::throttled)?;
    if long {
        stage.step("watches lost without a word", api_server::silent)?;
    }
    stage.functions.remove()
}

/// What is disturbed.
struct Stage<'a> {
    running: &'a Running,
    functions: BareFunctions<'a>,
}

impl Stage<'_> {
    fn step(&self, name: &str, disturb: impl FnOnce(&Self) -> anyhow::Result<String>) -> anyhow::Result<()> {
        let seen = disturb(self).map_err(|error| error.context(name.to_owned()))?;
        println!("{name}: {seen}");
        Ok(())
    }

    /// Waits until all functions have this strategy, and says how long it took.
    fn settle(&self, strategy: &str) -> anyhow::Result<Duration> {
        self.until(&format!("not all functions have {strategy}"), |filters| {
            filters.len() == FUNCTIONS && filters.values().all(|filter| filter.strategy == strategy)
        })
    }

    /// Waits until this holds of the EnvoyFilters, and says how long it took.
    fn until(
        &self,
        otherwise: &str,
        holds: impl Fn(&BTreeMap<String, Filter>) -> bool,
    ) -> anyhow::Result<Duration> {
        let mut filters = BTreeMap::new();
        let look = || {
            filters = self.functions.filters()?;
            Ok(holds(&filters))
        };
        let took = PATIENCE.until(otherwise, look);
        let strategies = || filters.values().map(|filter| &filter.strategy).collect::<Vec<_>>();
        took.with_context(|| format!("the EnvoyFilters have {:?}", strategies()))
    }

    /// Each EnvoyFilter was changed once since, and no more.
    fn changed_once_since(&self, before: &BTreeMap<String, Filter>) -> anyhow::Result<()> {
        for (name, filter) in self.functions.filters()? {
            let generation = before.get(&name).map_or(0, |before| before.generation);
            let changes = filter.generation.saturating_sub(generation);
            anyhow::ensure!(changes == 1, "{name} was changed {changes} times instead of once");
        }
        Ok(())
    }
}

/// As it is said.
fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
