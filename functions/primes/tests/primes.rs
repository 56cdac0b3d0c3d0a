//! The function by its requests, and once as the program that it is.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use primes::function::serve;
use rustix::process::{Pid, Signal, kill_process};

async fn ask(method: Method, path: &str, body: &str) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path);
    answer_to(request.body(Full::new(Bytes::from(body.to_owned()))).unwrap()).await
}

async fn answer_to(request: Request<Full<Bytes>>) -> (StatusCode, String) {
    let answer = serve(request).await.unwrap_or_else(|never: Infallible| match never {});
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn it_answers_the_prime_that_is_asked_for() {
    let ok = |text: &str| (StatusCode::OK, text.to_owned());
    assert_eq!(ask(Method::GET, "/?n=1000", "").await, ok("7919\n"));
    assert_eq!(ask(Method::POST, "/", "1\n").await, ok("2\n"));
    assert_eq!(ask(Method::GET, "/", "").await, ok("541\n"));
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused_with_the_bounds() {
    for n in ["0", "500001", "-7", "many"] {
        let (status, reason) = ask(Method::GET, &format!("/?n={n}"), "").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{n}");
        assert_eq!(reason, format!("n must be a whole number from 1 to 500000, not {n:?}\n"));
    }
    let long = "1".repeat(2_000);
    assert_eq!(ask(Method::POST, "/", &long).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(ask(Method::DELETE, "/", "").await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(ask(Method::GET, "/prime", "").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_run_whose_deadline_has_passed_does_not_begin() {
    let with_deadline = |millis: &str| {
        let request = Request::get("/?n=500000").header("x-steadfaas-deadline", millis);
        request.body(Full::new(Bytes::new())).unwrap()
    };
    let (status, text) = answer_to(with_deadline("1000")).await;
    assert_eq!((status, text.as_str()), (StatusCode::GATEWAY_TIMEOUT, "the deadline has passed\n"));
    let (status, text) = answer_to(with_deadline("99999999999999")).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "7368787\n"));
}

/// On one thread, as the program has it: were the prime looked for on it, the probe would come second.
#[tokio::test]
async fn a_probe_is_answered_while_a_prime_is_looked_for() {
    let slow = tokio::spawn(ask(Method::GET, "/?n=500000", ""));
    tokio::task::yield_now().await;
    assert_eq!(ask(Method::GET, "/healthz", "").await, (StatusCode::OK, "ok\n".to_owned()));
    assert!(!slow.is_finished());
    assert_eq!(slow.await.unwrap().1, "7368787\n");
}

/// The program, ended when dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A GET of the program, once it listens.
fn get(address: SocketAddr, path: &str) -> String {
    let began = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(error) => assert!(began.elapsed() < Duration::from_secs(10), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    write!(stream, "GET {path} HTTP/1.1\r\nhost: primes\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_program_listens_where_it_is_told_and_ends_well_when_told() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let program =
        Command::new(env!("CARGO_BIN_EXE_primes")).env("PRIMES_LISTEN", address.to_string()).spawn();
    let mut program = Program(program.unwrap());
    assert!(get(address, "/?n=10").ends_with("\r\n\r\n29\n"));
    assert!(get(address, "/stats").ends_with("{\"executions\":1}\n"));
    kill_process(Pid::from_child(&program.0), Signal::TERM).unwrap();
    assert!(program.0.wait().unwrap().success());
}
