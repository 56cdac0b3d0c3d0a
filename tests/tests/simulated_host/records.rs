//! What a request's own record says: the filter state for access logs, and the response header for debugging.

use prost::Message;

use super::exchange::answered;
use super::function::{Function, GET};
use super::proxy::Proxy;

#[test]
fn a_request_with_one_attempt_leaves_no_filter_state() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=active-standby"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    let exchange = worker.request(&fib, GET);
    let active = exchange.replicas()[0].clone();
    assert_eq!(exchange.end(answered(&active)).filter_state, None);
}

#[test]
fn a_request_with_more_attempts_says_in_its_filter_state_who_answered() {
    let (proxy, fib) = (Proxy::new(), Function::fib("strategy=active-standby"));
    let worker = proxy.worker();
    worker.get_to_know(&fib);
    let exchange = worker.request(&fib, GET);
    let standby = exchange.replicas()[1].clone();
    let state = exchange.end(answered(&standby).after(2)).filter_state.unwrap();
    // Prost reads google.protobuf.StringValue as a String.
    let text = <String as Message>::decode(state.as_slice()).unwrap();
    assert_eq!(text, format!("active-standby attempts=2 replica={standby}"));
}

#[test]
fn the_response_header_is_there_only_where_it_is_asked_for() {
    for (configuration, asked_for) in
        [("", false), (r#"{"response_header":false}"#, false), (r#"{"response_header":true}"#, true)]
    {
        let (proxy, fib) = (Proxy::new(), Function::fib("strategy=retry"));
        let worker = proxy.unconfigured_worker();
        assert!(worker.configure(configuration));
        worker.get_to_know(&fib);
        let exchange = worker.request(&fib, GET);
        let first = exchange.replicas()[0].clone();
        let expected = format!("retry attempts=1 replica={first}");
        assert_eq!(exchange.end(answered(&first)).response_header, Some(expected).filter(|_| asked_for));
    }
}
