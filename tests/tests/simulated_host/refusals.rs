//! Every function of the host refuses, one after the other, through a whole life: nothing of it may trap.

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use super::exchange::{End, answered};
use super::function::{Function, GET, POST, REPLICAS};
use super::proxy::Proxy;

/// What a host may refuse with: not found, bad argument, internal failure, unimplemented, and what isn't in the ABI.
const STATUSES: [u32; 5] = [1, 2, 10, 12, 99];

/// From the start of a worker to its end, with requests that pass, are planned, hedged, fail, and are trials.
/// `amid` is when something may happen to the host. Whatever the requests get is no matter here.
fn live(proxy: &Proxy, amid: impl FnOnce()) {
    let fib = Function::fib("strategy=active-standby hedge-after=25ms");
    let worker = proxy.unconfigured_worker();
    worker.configure(r#"{"response_header":true}"#);
    worker.get_to_know(&fib);
    amid();
    worker
        .request(&fib, &[GET, &[("x-envoy-retry-grpc-on", "internal")]].concat())
        .end(answered(REPLICAS[1]).after(2));
    worker.request(&fib, POST).end(End { code: 503, flags: 0x20, ..answered(REPLICAS[0]) });
    worker.request(&Function::fib("strategy=none").in_cluster("other"), GET).end_plainly();
    worker.request(&Function::unprotected().in_cluster("another"), GET).end_plainly();
    for _ in 0..12 {
        proxy.advance(100);
        worker.tick();
        worker.answer_polls("nonsense");
        worker.answer_polls(&fib.clusters());
        worker.request(&fib, GET).end(answered(REPLICAS[0]));
    }
    worker.remove_root(worker.root());
}

/// The functions that the module calls in such a life.
fn called() -> BTreeSet<String> {
    let proxy = Proxy::new();
    live(&proxy, || {});
    proxy.called()
}

/// Which refusals trap, in words.
fn traps(life: fn(&str, u32)) -> Vec<String> {
    let of = |function: &String| {
        let trapping: Vec<u32> =
            STATUSES.into_iter().filter(|status| catch_unwind(|| life(function, *status)).is_err()).collect();
        (!trapping.is_empty()).then(|| format!("{function} refusing with {trapping:?}"))
    };
    called().iter().filter_map(of).collect()
}

#[test]
fn a_life_calls_only_functions_that_the_host_has() {
    let proxy = Proxy::new();
    live(&proxy, || {});
    assert_eq!(proxy.unknown(), BTreeSet::new());
    assert!(proxy.called().len() > 15, "{:?}", proxy.called());
}

#[test]
fn no_function_that_refuses_from_the_start_traps() {
    let traps = traps(|function, status| {
        let proxy = Proxy::new();
        proxy.refuse(function, status);
        live(&proxy, || {});
    });
    assert_eq!(traps, [""; 0]);
}

#[test]
fn no_function_that_refuses_amid_its_life_traps() {
    let traps = traps(|function, status| {
        let proxy = Proxy::new();
        live(&proxy, || proxy.refuse(function, status));
    });
    assert_eq!(traps, [""; 0]);
}
