//! What is said before the first run and after the last one.

use std::path::Path;
use std::time::Duration;

use steadfaas_core::envoy::EXACT_TIMERS;
use steadfaas_tests::proxy::Choice;
use steadfaas_tests::trial::{Act, Event, Trial};

/// How a proxy is called here.
pub(crate) fn name(proxy: &Choice) -> String {
    let unprotected = "without steadfaas".to_owned();
    let Choice::Steadfaas(annotations) = proxy else { return unprotected };
    annotations
        .iter()
        .find(|(key, _)| key == "strategy")
        .map_or(unprotected, |(_, strategy)| strategy.clone())
}

/// What will happen, and how long it takes.
pub(crate) fn opening(trials: &[Trial]) -> String {
    let Some(first) = trials.first() else { return String::new() };
    let names: Vec<_> = trials.iter().map(|trial| name(&trial.proxy)).collect();
    let events: Vec<_> = first.events.iter().map(planned).collect();
    format!(
        "{count} runs, one after another, {all} s in all: {names}.\n\
         Each starts Envoy and {replicas} replicas of a 10 ms function on this machine and sends {rate} requests a second\n\
         for {seconds} s, each at its moment whatever became of those before it. Clients wait 10 s and don't repeat.\n\
         {events}\n",
        count = trials.len(),
        all = trials.iter().map(Trial::duration).sum::<Duration>().as_secs(),
        names = names.join(", "),
        replicas = first.replicas,
        rate = first.rate,
        seconds = first.seconds,
        events = events.join("\n"),
    )
}

fn planned(event: &Event) -> String {
    let what = match event.act {
        Act::Strike(fault) => fault.strikes("the busiest replica"),
        Act::Undo => "that replica is back".to_owned(),
    };
    format!("  second {}: {what}", event.at.as_secs_f64())
}

/// What the table's rows and columns mean.
pub(crate) const LEGEND: &str = "\
failed          got no whole 2xx answer within 10 s
longest gap     between two good answers, from 1 s before the first fault to the end
p50, p99, max   over the 5 s after the first fault; a failed request counts as 10 s
extra attempts  requests that replicas read beyond one for each of the load; below 0: some were never read
extra runs      likewise, of the function
late runs       of all runs, those that ended when nobody waited any more, as in a replica that was thawed
without steadfaas: Envoy with the configuration that Istio gives every service
retry, active-standby: a request that is later than usual is sent to another replica too
request-replication: a second replica gets each request after 1 ms
hedged: a request that is among the slowest tenth is sent to another replica too
";

/// The smallest functions file that does what was shown.
const FUNCTIONS: &str = "\
functions:
- name: hello
  replicas: [127.0.0.1:9001, 127.0.0.1:9002]
  strategy: active-standby
";

/// What to do next.
pub(crate) fn next_steps(envoy: &Path) -> String {
    let (variable, value) = EXACT_TIMERS;
    let indented: String = FUNCTIONS.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "Protect a function of your own: write functions.yaml, with the addresses of its replicas,\n\n{indented}\n\
         and let its clients go to port 8080 of\n\n    \
         cargo run --release --package steadfaas -- standalone functions.yaml -o envoy.yaml\n    \
         {variable}={value} {envoy} -c envoy.yaml\n\n\
         `cargo verify` proves all of this on your machine; `cargo faults -- --help` measures it, also against other \
         proxies.",
        envoy = envoy.display(),
    )
}

#[cfg(test)]
mod tests {
    use steadfaas::standalone::FunctionsFile;
    use steadfaas_core::policy::Strategy;

    use super::*;
    use crate::script::{self, Faults, protected, unprotected};

    fn trial(proxy: Choice) -> Trial {
        script::trial(proxy, Faults::Both, 200.0, 20.0)
    }

    #[test]
    fn the_functions_file_that_is_shown_is_one() {
        let file = FunctionsFile::parse(FUNCTIONS, "functions.yaml").unwrap();
        assert_eq!(file.functions.len(), 1);
        assert!(
            next_steps(Path::new("/bin/envoy"))
                .contains("    EVENT_PRECISE_TIMER=1 /bin/envoy -c envoy.yaml\n")
        );
    }

    #[test]
    fn the_opening_says_how_long_it_takes_and_what_happens_when() {
        let text = opening(&[trial(unprotected()), trial(protected(Strategy::Retry))]);
        assert!(text.starts_with("2 runs, one after another, 44 s in all: without steadfaas, retry."));
        assert!(
            text.contains("  second 4.5: that replica is back\n  second 6: the busiest replica is frozen"),
            "{text}"
        );
    }
}
