//! One request on a connection of its own: for admin endpoints, statistics and faults, not for load.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::process::Process;

/// Nothing that is asked here takes this long, even on a machine that compiles beside it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The status and text that `address` answers to a GET.
///
/// # Errors
/// It can't be reached, breaks the connection, or takes longer than 10 s.
pub async fn get(address: SocketAddr, path: &str) -> anyhow::Result<(StatusCode, String)> {
    ask(address, Method::GET, path, "").await
}

/// The status and text that `address` answers to a POST of `body`.
///
/// # Errors
/// As [`get`].
pub async fn post(address: SocketAddr, path: &str, body: &str) -> anyhow::Result<(StatusCode, String)> {
    ask(address, Method::POST, path, body).await
}

/// Waits until `process`, just started, answers a GET of `path` with 200.
///
/// # Errors
/// It ends, or has not answered so when `patience` is over; the message ends with what it logged last.
pub async fn wait_until_well(
    address: SocketAddr,
    path: &str,
    process: &mut Process,
    patience: Duration,
) -> anyhow::Result<()> {
    let answers = || async { matches!(get(address, path).await, Ok((StatusCode::OK, _))) };
    process.wait_until_well(patience, answers).await
}

async fn ask(
    address: SocketAddr,
    method: Method,
    path: &str,
    body: &str,
) -> anyhow::Result<(StatusCode, String)> {
    let request = Request::builder().method(method).uri(path).header("host", address.to_string());
    let request = request.body(Full::new(Bytes::from(body.to_owned())))?;
    let answer = timeout(PATIENCE, exchange(address, request)).await;
    answer
        .with_context(|| format!("{address}{path} doesn't answer"))?
        .with_context(|| format!("{address}{path}"))
}

async fn exchange(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<(StatusCode, String)> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
