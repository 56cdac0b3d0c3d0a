//! The load against a server of its own: when requests are sent, what is recorded of each.

use std::convert::Infallible;

use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::*;

/// A server that answers at once, with 503 to every tenth request.
async fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = |request: Request<Incoming>| async move {
        let id = request.headers()["x-request-id"].to_str().unwrap().to_owned();
        let status = if id.ends_with('0') { 503 } else { 200 };
        let answer = Response::builder().status(status).body(Full::new(Bytes::from(id)));
        Ok::<_, Infallible>(answer.unwrap())
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let serve = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::spawn(serve);
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_has_one_outcome_in_its_place() {
    let running = Load::new(server().await, 500.0, 0.4).start().await.unwrap();
    let progress = running.progress();
    let outcomes = running.finish().await;
    assert_eq!(outcomes.len(), 200);
    assert!(outcomes.iter().enumerate().all(|(index, outcome)| outcome.index == index));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.got == Got::Answer(503)).count(), 20);
    assert_eq!(outcomes.iter().filter(|outcome| outcome.got.is_good()).count(), 180);
    let refusals = progress.refusals();
    assert_eq!(refusals.len(), 3, "the first few: {refusals:?}");
    let of_tenth = refusals.iter().find(|refusal| refusal.request == 10).unwrap();
    assert_eq!(of_tenth.said, "503: request-10", "status and body");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_to_nobody_does_not_start() {
    let nobody = crate::ports::free_address();
    assert!(Load::new(nobody, 10.0, 1.0).start().await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_is_a_timeout_and_a_broken_answer_a_reset() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut load = Load::new(listener.local_addr().unwrap(), 100.0, 0.03);
    load.timeout = Duration::from_millis(200);
    let running = load.start().await.unwrap();
    let broken = std::thread::spawn(move || {
        // All connections are held, so that their requests wait; the first that says something is closed.
        let mut held: Vec<_> = (0..connections_for(100.0)).map(|_| listener.accept().unwrap().0).collect();
        std::thread::sleep(Duration::from_millis(100));
        held.pop();
        std::thread::sleep(Duration::from_millis(500));
    });
    let outcomes = running.finish().await;
    broken.join().unwrap();
    let of = |got| outcomes.iter().filter(|outcome| outcome.got == got).count();
    assert_eq!((of(Got::Reset), of(Got::Timeout)), (1, 2));
}
