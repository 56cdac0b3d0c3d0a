//! What is answered without Redis: what is wrong with a request, and that Redis isn't there. What needs one is tested in
//! `tests/tests/guestbook.rs`.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::convert::Infallible;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use guestbook::function::{Guestbook, MAX_TEXT};
use guestbook::store::Store;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};

/// A request, as `METHOD PATH`.
fn request(line: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let (method, path) = line.split_once(' ').unwrap();
    Request::builder().method(method).uri(path).body(Full::new(body.into())).unwrap()
}

async fn answer_to(address: &str, request: Request<Full<Bytes>>) -> (StatusCode, String) {
    let store = Store::at(format!("redis://{address}").parse().unwrap()).unwrap();
    let answer = Guestbook::new(store, Duration::ZERO).serve(request).await;
    let (head, body) = answer.unwrap_or_else(|never: Infallible| match never {}).into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status, String::from_utf8(body.to_vec()).unwrap())
}

/// Nobody may listen there but root's own services, of which none does.
const NOBODY: &str = "127.0.0.1:1";

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said() {
    let bad = [
        (request("POST /", ""), 400, "an entry is text in UTF-8, and not empty\n"),
        (request("POST /", " \n"), 400, "an entry is text in UTF-8, and not empty\n"),
        (request("POST /", &b"\xff\xfe"[..]), 400, "an entry is text in UTF-8, and not empty\n"),
        (request("POST /", "x".repeat(MAX_TEXT + 1)), 413, "the body is longer than 4096 bytes\n"),
        (request("GET /?n=0", ""), 400, "n must be a whole number from 1 to 100, not \"0\"\n"),
        (request("GET /?n=101", ""), 400, "n must be a whole number from 1 to 100, not \"101\"\n"),
        (request("DELETE /", ""), 405, "GET /?n=10 for the newest entries, POST / with an entry's text\n"),
        (request("GET /entries", ""), 404, "there are /, /healthz, /livez and /stats\n"),
    ];
    for (request, status, text) in bad {
        let shown = format!("{request:?}");
        let (got, said) = answer_to(NOBODY, request).await;
        assert_eq!((got.as_u16(), said.as_str()), (status, text), "{shown}");
    }
    let mut long = request("POST /", "hello");
    long.headers_mut().insert("idempotency-key", "k".repeat(129).parse().unwrap());
    assert_eq!(answer_to(NOBODY, long).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn where_redis_is_missing_is_said_at_once_and_only_what_needs_it_fails() {
    for line in ["POST /", "GET /", "GET /healthz"] {
        let began = Instant::now();
        let (status, text) = answer_to(NOBODY, request(line, "hello")).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{line}");
        assert!(text.starts_with("Redis at 127.0.0.1:1 doesn't do as it was asked: "), "{text}");
        assert!(began.elapsed() < Duration::from_secs(1), "{line} took {:?}", began.elapsed());
    }
    assert_eq!(answer_to(NOBODY, request("GET /livez", "")).await.0, StatusCode::OK);
    assert_eq!(answer_to(NOBODY, request("GET /stats", "")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_redis_that_says_nothing_is_not_waited_for_long() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let began = Instant::now();
    let address = silent.local_addr().unwrap().to_string();
    let (status, text) = answer_to(&address, request("POST /", "hello")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{text}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_entry_whose_deadline_has_passed_is_not_stored() {
    let mut late = request("POST /", "hello");
    late.headers_mut().insert("x-steadfaas-deadline", "1000".parse().unwrap());
    let (status, text) = answer_to(NOBODY, late).await;
    assert_eq!((status, text.as_str()), (StatusCode::GATEWAY_TIMEOUT, "the deadline has passed\n"));
}
