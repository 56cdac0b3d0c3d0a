//! What each key takes, and what it says when it doesn't.

use super::*;

fn compile(settings: &[(&str, &str)]) -> Result<Policy, PolicyError> {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Policy::compile(&WrittenPolicy::new("default/fib", settings))
}

fn refused(settings: &[(&str, &str)]) -> String {
    compile(settings).unwrap_err().to_string()
}

#[test]
fn a_strategy_alone_gets_the_stated_defaults() {
    let policy = compile(&[("strategy", "active-standby")]).unwrap();
    assert_eq!(policy.strategy, Strategy::ActiveStandby);
    assert_eq!((policy.tolerate, policy.retries()), (1, 2));
    assert_eq!(policy.idempotent, Idempotent::ByMethod);
    assert_eq!(policy.retry_on.http, "gateway-error", "which means broken connections, too");
    assert_eq!(policy.retry_on.grpc, "unavailable");
    assert_eq!(policy.retry_on.broken, "reset");
    assert_eq!((policy.hedge_after, policy.budget, policy.deadline), (None, DEFAULT_BUDGET, None));
    assert_eq!(policy.probe, Probe::Off);
}

#[test]
fn words_that_others_include_are_not_said_to_envoy() {
    for (written, http, broken) in [
        ("connect-failure,refused-stream,reset,gateway-error", "gateway-error", "reset"),
        ("gateway-error", "gateway-error", "reset"),
        ("5xx,gateway-error,connect-failure", "5xx,gateway-error", "reset"),
        ("reset-before-request,reset", "reset", "reset"),
        (
            "connect-failure,retriable-4xx,refused-stream",
            "retriable-4xx,connect-failure,refused-stream",
            "connect-failure,refused-stream",
        ),
        ("unavailable", "", ""),
    ] {
        let RetryOn { http: said, broken: said_of_broken, .. } = RetryOn::parse(written).unwrap();
        assert_eq!((said.as_str(), said_of_broken.as_str()), (http, broken), "{written}");
    }
}

#[test]
fn every_key_that_is_built_takes_its_values() {
    let policy = compile(&[
        ("strategy", " retry "),
        ("tolerate", "4"),
        ("idempotent", "true"),
        ("retry-on", "5xx, unavailable,reset"),
        ("hedge-after", "25ms"),
        ("start", "staggered"),
        ("budget", "25%"),
        ("deadline", "2s"),
        ("probe", "http:/healthz@0.5s"),
    ])
    .unwrap();
    assert_eq!((policy.retry_on.http.as_str(), policy.retry_on.grpc.as_str()), ("5xx", "unavailable"));
    assert_eq!(policy.retry_on.broken, "reset");
    assert_eq!(policy.hedge_after, Some(Duration::from_millis(25)));
    assert_eq!((policy.budget, policy.deadline), (25, Some(Duration::from_secs(2))));
    assert_eq!(
        policy.probe,
        Probe::Http { path: "/healthz".to_owned(), interval: Duration::from_millis(500) }
    );
}

#[test]
fn a_wrong_value_names_the_key_the_value_and_what_would_be_right() {
    let strategy = ("strategy", "retry");
    let cases = [
        (("tolerate", "5"), "`tolerate` is `5`: a whole number from 1 to 4 would be right"),
        (("tolerate", "one"), "`tolerate` is `one`: a whole number from 1 to 4 would be right"),
        (("idempotent", "yes"), "`idempotent` is `yes`: true, false or by-method would be right"),
        (
            ("hedge-after", "25"),
            "`hedge-after` is `25`: auto, or a duration from 1ms to 60s such as 25ms would be right",
        ),
        (("start", "later"), "`start` is `later`: staggered would be right"),
        (
            ("probe", "http:healthz"),
            "`probe` is `http:healthz`: off, tcp or http:/path, with @interval such as tcp@200ms would be right",
        ),
        (("probe", "tcp@1ms"), "`probe` is `tcp@1ms`: an interval from 10ms to 300s would be right"),
        (("start", "together"), "`start: together` is not built yet in this version"),
        (("objective", "latency"), "`objective: latency` is not built yet in this version"),
        (
            ("budget", "10"),
            "`budget` is `10`: a whole percentage of the requests, from 0% to 100% would be right",
        ),
        (("deadline", "2"), "`deadline` is `2`: a duration from 1ms to 1h such as 2s would be right"),
    ];
    for (setting, message) in cases {
        assert_eq!(refused(&[strategy, setting]), message);
    }
    assert!(refused(&[strategy, ("retry-on", "503")]).starts_with("`retry-on` is `503`: Envoy's words"));
    assert!(
        refused(&[strategy, ("toelrate", "1")]).starts_with("unknown key `toelrate`: strategy, tolerate,")
    );
    assert_eq!(refused(&[("strategy", "quorum")]), "`strategy: quorum` is not built yet in this version");
    assert_eq!(
        refused(&[]),
        "no `strategy`: retry, active-standby, request-replication or hedged would be right"
    );
}

#[test]
fn a_hedge_delay_or_a_budget_beside_replication_is_refused() {
    let message = refused(&[("strategy", "request-replication"), ("hedge-after", "25ms")]);
    assert!(message.contains("starts the next replica after 1 ms"), "{message}");
    let message = refused(&[("strategy", "request-replication"), ("budget", "5%")]);
    assert!(message.contains("runs each request on every copy"), "{message}");
}

#[test]
fn a_function_name_that_metrics_cannot_carry_is_refused() {
    for name in ["", "a b", "fib;.;", &"x".repeat(254)] {
        let settings = [("strategy".to_owned(), "retry".to_owned())].into();
        let error = Policy::compile(&WrittenPolicy::new(name, settings)).unwrap_err();
        assert_eq!(error, PolicyError::BadFunctionName { name: name.to_owned() });
    }
}

#[test]
fn what_is_written_is_read_back() {
    let written = WrittenPolicy::new("fib", [("strategy".to_owned(), "retry".to_owned())].into());
    assert_eq!(WrittenPolicy::from_json(written.to_json().unwrap().as_bytes()), Ok(written));
}

#[test]
fn a_later_version_is_told_from_nonsense() {
    let later = br#"{"version":2,"function":{"new":"shape"}}"#;
    assert_eq!(WrittenPolicy::from_json(later), Err(PolicyError::LaterVersion { version: 2 }));
    for nonsense in [&b""[..], b"{}", b"[1]", b"{\"version\":1}", &[0xff, 0xfe]] {
        assert_eq!(WrittenPolicy::from_json(nonsense).unwrap_err().reason(), "policy_unreadable");
    }
}

#[test]
fn spans_need_a_unit_and_keep_fractions() {
    assert_eq!(parse_span("25ms"), Some(Duration::from_millis(25)));
    assert_eq!(parse_span("1.5s"), Some(Duration::from_millis(1_500)));
    assert_eq!(parse_span("2m"), Some(Duration::from_secs(120)));
    for wrong in ["", "25", "ms", "-1s", "1h", "1.s.", "99999999999999999999s", "1.1234567s", ".5s"] {
        assert_eq!(parse_span(wrong), None, "{wrong}");
    }
}
