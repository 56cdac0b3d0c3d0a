//! One GET on a connection of its own: for admin endpoints and statistics, not for load.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Nothing that is asked here takes this long, even on a machine that compiles beside it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The status and text that `address` answers to a GET.
///
/// # Errors
/// It can't be reached, breaks the connection, or takes longer than 10 s.
pub async fn get(address: SocketAddr, path: &str) -> anyhow::Result<(StatusCode, String)> {
    let answer = timeout(PATIENCE, exchange(address, path)).await;
    answer
        .with_context(|| format!("{address}{path} doesn't answer"))?
        .with_context(|| format!("{address}{path}"))
}

async fn exchange(address: SocketAddr, path: &str) -> anyhow::Result<(StatusCode, String)> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get(path).header("host", address.to_string()).body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
