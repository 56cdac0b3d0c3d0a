//! `many-functions`: what so many protected functions cost the controller, the API server, istiod and the gateway's Envoy,
//! and how long an annotation takes with them.

mod readings;

use std::time::{Duration, Instant};

use steadfaas_core::policy::Strategy;
use xtask::command::say;

use self::readings::{Readings, Since};
use crate::bare_functions::{BareFunctions, envoy_has};
use crate::cluster::endpoint::Endpoint;
use crate::cluster::layers::{self, Layer};
use crate::cluster::running::Running;
use crate::cluster::{istio, steadfaas};
use crate::patience::Patience;

/// An annotation is tried out so many times, on functions all over.
const CHANGES: usize = 5;

/// So many annotations come one a second, for what istiod does while it is busy.
const BUSY_CHANGES: usize = 20;

/// So many functions are annotated while no controller runs.
const MISSED: usize = 10;

/// Two thousand functions are written within half a minute; the rest is for a machine that does other things too.
const PATIENCE: Patience = Patience { most: Duration::from_secs(300), every: Duration::from_millis(50) };

/// How often istiod is asked whether it is at rest: its answer costs it processor time, which is measured.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// istiod is at rest when it has pushed nothing for so long: it holds changes back for 10 s at most.
const REST: Duration = Duration::from_secs(5);

/// Makes so many functions, prints what they cost, and takes them away again. istiod gets these variables beside its own.
///
/// # Errors
/// Something takes too long, or isn't there to be measured.
pub fn run(running: &Running, count: usize, istiod: &[(String, String)]) -> anyhow::Result<()> {
    layers::add(running, &[Layer::Istio, Layer::Steadfaas])?;
    if !istiod.is_empty() {
        istio::restart_istiod(running, istiod)?;
    }
    steadfaas::end(running)?;
    let began = Instant::now();
    let strategy = Strategy::ActiveStandby.as_str();
    let functions = BareFunctions::make(running.kubectl(), "many-functions", count, strategy)?;
    say(&format!("{count} functions made in {}", seconds(began.elapsed())));
    let gateway = istio::ingress_gateway().admin(running)?;
    let trial = Trial { running, functions, gateway };
    let measured = trial.measure();
    trial.functions.remove()?;
    measured?;
    let took = PATIENCE.until("EnvoyFilters are left behind", || Ok(filters(running)? <= 1))?;
    println!("all gone after the functions were deleted: {}", seconds(took));
    Ok(())
}

struct Trial<'a> {
    running: &'a Running,
    functions: BareFunctions<'a>,
    gateway: Endpoint,
}

impl Trial<'_> {
    fn measure(&self) -> anyhow::Result<()> {
        println!("protected functions: {}", self.functions.count());
        self.first_start()?;
        self.at_rest()?;
        self.changes()?;
        self.busy()?;
        self.restart()
    }

    /// All of them wait for the controller.
    fn first_start(&self) -> anyhow::Result<()> {
        let before = Readings::take(self.running)?;
        let began = Instant::now();
        steadfaas::begin(self.running)?;
        let count = self.functions.count();
        PATIENCE.until("not all EnvoyFilters are written", || Ok(filters(self.running)? > count))?;
        let written = began.elapsed();
        PATIENCE.until("not all statuses are written", || Ok(readings::statuses(self.running)? >= count))?;
        println!(
            "controller, from its start to all EnvoyFilters and statuses written: {}, {}",
            seconds(written),
            seconds(began.elapsed())
        );
        self.calm()?;
        println!("until istiod had pushed all of it: {}", seconds(began.elapsed().saturating_sub(REST)));
        println!("meanwhile: {}", Since::new(&before, &Readings::take(self.running)?, 1));
        Ok(())
    }

    fn at_rest(&self) -> anyhow::Result<()> {
        let before = Readings::take(self.running)?;
        std::thread::sleep(REST * 2);
        let after = Readings::take(self.running)?;
        println!("memory: {}", after.memory());
        println!("at rest: {}", Since::new(&before, &after, 1));
        Ok(())
    }

    /// One annotation at a time, each on its way alone.
    fn changes(&self) -> anyhow::Result<()> {
        let before = Readings::take(self.running)?;
        let mut took = Vec::new();
        for number in self.spread(CHANGES) {
            took.push(self.change(number, Strategy::Hedged)?);
            self.calm()?;
        }
        took.sort_unstable();
        let took: Vec<String> = took.into_iter().map(seconds).collect();
        println!("annotation to the gateway's Envoy: {}", took.join(", "));
        println!("a change: {}", Since::new(&before, &Readings::take(self.running)?, CHANGES));
        Ok(())
    }

    /// Annotates one, and says when the gateway's Envoy has it.
    fn change(&self, number: usize, strategy: Strategy) -> anyhow::Result<Duration> {
        self.functions.annotate(number..number + 1, strategy.as_str())?;
        let cluster = self.functions.envoy_cluster(number, "");
        let has = || envoy_has(&self.gateway, &cluster, strategy.as_str());
        PATIENCE.until("an annotation has no effect", has)
    }

    /// One annotation a second.
    fn busy(&self) -> anyhow::Result<()> {
        let before = Readings::take(self.running)?;
        let (mut last, mut next) = (Duration::ZERO, Instant::now());
        for (round, number) in self.spread(BUSY_CHANGES).enumerate() {
            next += Duration::from_secs(1);
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            if round + 1 < BUSY_CHANGES {
                self.functions.annotate(number..number + 1, Strategy::Retry.as_str())?;
            } else {
                last = self.change(number, Strategy::Retry)?;
            }
        }
        println!("the last of {BUSY_CHANGES}, one a second: {}", seconds(last));
        println!("a change then: {}", Since::new(&before, &Readings::take(self.running)?, BUSY_CHANGES));
        Ok(())
    }

    /// Some were annotated while no controller ran.
    fn restart(&self) -> anyhow::Result<()> {
        steadfaas::end(self.running)?;
        self.functions
            .annotate(0..MISSED.min(self.functions.count()), Strategy::RequestReplication.as_str())?;
        self.calm()?;
        let before = Readings::take(self.running)?;
        let began = Instant::now();
        steadfaas::begin(self.running)?;
        let wanted = Strategy::RequestReplication.as_str();
        let is_right = |strategy: &str| strategy == wanted;
        PATIENCE.until("what was missed isn't caught up", || {
            let right =
                self.functions.filters()?.values().filter(|filter| is_right(&filter.strategy)).count();
            Ok(right == MISSED.min(self.functions.count()))
        })?;
        println!(
            "a controller that was away for {MISSED} changes has caught up after {}",
            seconds(began.elapsed())
        );
        self.calm()?;
        println!("meanwhile: {}", Since::new(&before, &Readings::take(self.running)?, 1));
        Ok(())
    }

    /// Numbers of so many functions, as far apart as may be; but those that a restart takes.
    fn spread(&self, times: usize) -> impl Iterator<Item = usize> {
        let (first, count) = (MISSED, self.functions.count());
        (0..times).map(move |time| first + time * count.saturating_sub(first) / times)
    }

    /// Until istiod pushes nothing any more.
    fn calm(&self) -> anyhow::Result<()> {
        let (mut pushes, mut since) = (0.0, Instant::now());
        let patience = Patience { every: ASK_EVERY, ..PATIENCE };
        patience.until("istiod doesn't come to rest", || {
            let now = readings::pushes(self.running)?;
            if now > pushes {
                (pushes, since) = (now, Instant::now());
            }
            Ok(since.elapsed() > REST)
        })?;
        Ok(())
    }
}

/// How many EnvoyFilters there are. The API server counts what it leaves out of a list.
fn filters(running: &Running) -> anyhow::Result<usize> {
    let path = "/apis/networking.istio.io/v1alpha3/namespaces/istio-system/envoyfilters?limit=1";
    let list: serde_json::Value = serde_json::from_str(&running.kubectl().run(&["get", "--raw", path])?)?;
    let left_out = list.pointer("/metadata/remainingItemCount").and_then(serde_json::Value::as_u64);
    let listed = list.get("items").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
    Ok(listed + usize::try_from(left_out.unwrap_or(0))?)
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}
