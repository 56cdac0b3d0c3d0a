//! A process that is told to end: one test in a program of its own, for a signal reaches all of it.

use std::convert::Infallible;
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Incoming;
use rustix::process::{Signal, getpid, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A run that is long enough for the signal to come in its midst.
const WORK: Duration = Duration::from_millis(200);

#[tokio::test]
async fn told_to_end_it_finishes_what_it_is_at_and_returns() {
    let listener = serving::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let function = |_: hyper::Request<Incoming>| async {
        tokio::time::sleep(WORK).await;
        Ok::<_, Infallible>(serving::answer(StatusCode::OK, "done\n"))
    };
    let served = tokio::spawn(serving::until_terminated(listener, function));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: any\r\n\r\n").await.unwrap();
    tokio::time::sleep(WORK / 4).await;
    kill_process(getpid(), Signal::TERM).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK") && text.ends_with("done\n"), "{text}");
    served.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "it takes no connection any more");
}
