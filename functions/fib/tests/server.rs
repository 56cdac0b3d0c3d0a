//! The function over HTTP: what it answers, what it counts, and how it ends.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fib::function::{Function, Options};
use fib::service_time::ServiceTime;
use fib::stats::{Report, Stats};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A run that is long enough for a test to act in its midst.
const WORK: Duration = Duration::from_millis(100);

fn work() -> ServiceTime {
    ServiceTime { median: WORK, ..ServiceTime::default() }
}

struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

async fn serve(options: Options) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let function = Function::new(options, Stats::default());
    let until = async move { stopped.await.unwrap_or_default() };
    let serve = move |request| Arc::clone(&function).serve(request);
    let ended = tokio::spawn(serving::serve(listener, serve, until));
    Served { address, stop, ended }
}

/// Sends the request and leaves the connection open for the answer.
async fn send(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// What is answered to a request without more headers than needed: status line and body.
async fn ask(address: SocketAddr, line: &str, body: &str) -> (String, String) {
    let head = format!(
        "{line} HTTP/1.1\r\nhost: fib\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    read(send(address, &(head + body)).await).await
}

async fn read(mut stream: TcpStream) -> (String, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
}

async fn stats(address: SocketAddr) -> Report {
    serde_json::from_str(&ask(address, "GET /stats?ids=1", "").await.1).unwrap()
}

#[tokio::test]
async fn it_answers_the_number_that_is_asked_for() {
    let served = serve(Options::default()).await;
    let ok = "HTTP/1.1 200 OK".to_owned();
    assert_eq!(ask(served.address, "GET /?n=15", "").await, (ok.clone(), "610\n".to_owned()));
    assert_eq!(ask(served.address, "POST /", "10").await, (ok.clone(), "55\n".to_owned()));
    assert_eq!(ask(served.address, "POST /", "").await, (ok, "610\n".to_owned()));
    let (status, reason) = ask(served.address, "POST /", "much").await;
    assert_eq!(status, "HTTP/1.1 400 Bad Request");
    assert_eq!(reason, "n must be a whole number from 0 to 42, not \"much\"\n");
}

#[tokio::test]
async fn only_requests_to_the_function_count() {
    let served = serve(Options::default()).await;
    ask(served.address, "GET /healthz", "").await;
    ask(served.address, "GET /nowhere", "").await;
    ask(served.address, "GET /?n=1", "").await;
    let counts = stats(served.address).await.counts;
    assert_eq!((counts.received, counts.executions, counts.useful, counts.late), (1, 1, 1, 0));
}

#[tokio::test]
async fn a_run_whose_client_went_goes_on_and_counts_as_late() {
    let served = serve(Options { work: work(), ..Options::default() }).await;
    let gone = send(served.address, "GET / HTTP/1.1\r\nhost: fib\r\nx-request-id: one\r\n\r\n").await;
    tokio::time::sleep(WORK / 4).await;
    drop(gone);
    tokio::time::sleep(WORK / 4).await;
    let counts = stats(served.address).await.counts;
    assert_eq!((counts.executions, counts.useful, counts.late), (1, 0, 0), "it still runs");
    tokio::time::sleep(WORK).await;
    let report = stats(served.address).await;
    assert_eq!((report.counts.useful, report.counts.late, report.ids["one"]), (0, 1, 1));
}

#[tokio::test]
async fn with_one_worker_requests_wait_their_turn() {
    let served = serve(Options { work: work(), concurrency: Some(1), ..Options::default() }).await;
    let started = Instant::now();
    let request = "GET / HTTP/1.1\r\nhost: fib\r\nconnection: close\r\n\r\n";
    let (one, two) = (send(served.address, request).await, send(served.address, request).await);
    tokio::time::sleep(WORK / 2).await;
    let counts = stats(served.address).await.counts;
    assert_eq!((counts.received, counts.executions), (2, 1));
    read(one).await;
    read(two).await;
    assert!(started.elapsed() >= WORK * 2);
}

#[tokio::test]
async fn a_request_whose_deadline_passed_while_it_waited_is_dropped() {
    let served = serve(Options { work: work(), concurrency: Some(1), ..Options::default() }).await;
    let first = send(served.address, "GET / HTTP/1.1\r\nhost: fib\r\nconnection: close\r\n\r\n").await;
    tokio::time::sleep(WORK / 4).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let waiting = async |deadline: Duration| {
        let request = format!(
            "GET / HTTP/1.1\r\nhost: fib\r\nconnection: close\r\nx-steadfaas-deadline: {}\r\n\r\n",
            deadline.as_millis()
        );
        send(served.address, &request).await
    };
    let (hasty, patient) = (waiting(now + WORK / 4).await, waiting(now + WORK * 100).await);
    read(first).await;
    assert_eq!(read(hasty).await.0, "HTTP/1.1 504 Gateway Timeout");
    assert_eq!(read(patient).await.0, "HTTP/1.1 200 OK");
    let counts = stats(served.address).await.counts;
    assert_eq!((counts.received, counts.executions, counts.dropped), (3, 2, 1));
}

#[tokio::test]
async fn told_to_stop_it_finishes_what_it_is_at() {
    let served = serve(Options { work: work(), ..Options::default() }).await;
    let in_flight = send(served.address, "GET /?n=7 HTTP/1.1\r\nhost: fib\r\n\r\n").await;
    tokio::time::sleep(WORK / 4).await;
    served.stop.send(()).unwrap();
    tokio::time::sleep(WORK / 4).await;
    assert!(TcpStream::connect(served.address).await.is_err(), "it takes no connection any more");
    assert_eq!(read(in_flight).await, ("HTTP/1.1 200 OK".to_owned(), "13\n".to_owned()));
    served.ended.await.unwrap();
}

#[tokio::test]
async fn it_misbehaves_only_where_that_is_allowed() {
    let well = serve(Options::default()).await;
    assert_eq!(ask(well.address, "POST /fault", "slow=1s").await.0, "HTTP/1.1 404 Not Found");
    let faulty = serve(Options { allow_faults: true, ..Options::default() }).await;
    assert_eq!(ask(faulty.address, "POST /fault", "slow=100ms").await.0, "HTTP/1.1 200 OK");
    let started = Instant::now();
    ask(faulty.address, "GET /", "").await;
    assert!(started.elapsed() >= Duration::from_millis(100));
    assert_eq!(ask(faulty.address, "POST /fault", "slow").await.0, "HTTP/1.1 400 Bad Request");
}

#[tokio::test]
async fn a_fault_hits_probes_only_where_it_says_so() {
    let served = serve(Options { allow_faults: true, ..Options::default() }).await;
    let status = async |line| ask(served.address, line, "").await.0;
    ask(served.address, "POST /fault", "answer=503").await;
    assert_eq!(status("GET /").await, "HTTP/1.1 503 Service Unavailable");
    assert_eq!(status("GET /healthz").await, "HTTP/1.1 200 OK");
    ask(served.address, "POST /fault", "answer=503&probes").await;
    assert_eq!(status("GET /healthz").await, "HTTP/1.1 503 Service Unavailable");
    ask(served.address, "POST /fault", "").await;
    assert_eq!(status("GET /healthz").await, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn an_answer_that_is_reset_was_run() {
    let served = serve(Options { allow_faults: true, ..Options::default() }).await;
    ask(served.address, "POST /fault", "answer=reset").await;
    assert_eq!(ask(served.address, "GET /", "").await.0, "", "the connection ends without a word");
    assert_eq!(stats(served.address).await.counts.executions, 1);
}

#[tokio::test]
async fn there_is_a_slow_path_where_one_is_wanted() {
    let plain = serve(Options::default()).await;
    assert_eq!(ask(plain.address, "GET /slow?n=7", "").await.0, "HTTP/1.1 404 Not Found");
    let served = serve(Options { slow_work: Some(WORK), ..Options::default() }).await;
    let started = Instant::now();
    assert_eq!(ask(served.address, "GET /slow?n=7", "").await.1, "13\n");
    assert!(started.elapsed() >= WORK);
    assert_eq!(stats(served.address).await.counts.executions, 1);
}

#[tokio::test]
async fn it_speaks_http_2_to_clients_that_begin_with_it() {
    let served = serve(Options::default()).await;
    let stream = TokioIo::new(TcpStream::connect(served.address).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://fib/?n=10").body(Full::new(Bytes::new())).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "55\n");
}
