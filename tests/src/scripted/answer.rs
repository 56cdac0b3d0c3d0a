//! How a scripted replica answers one request.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, UPGRADE};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use steadfaas_core::envoy::{ATTEMPT_HEADER, DEADLINE_HEADER};

use super::frames::{AnyBody, grpc_frame, in_pieces, whole};
use super::wire::Cord;
use super::{Behaviour, Execution, Shared};
use crate::client::Ask;

/// The response header that names the replica.
pub const REPLICA_HEADER: &str = "x-replica";

/// Chunks of a streamed answer (`/stream`), events of `/events`, messages of a gRPC stream.
pub const CHUNKS: usize = 5;

/// Time between two of them: long enough to tell "as they are produced" from "all at the end" on a loaded machine.
pub const CHUNK_GAP: Duration = Duration::from_millis(150);

/// Between the first half of an answer and the reset: RST throws away what the receiver hasn't read yet.
const BEFORE_RESET: Duration = Duration::from_millis(20);

type Answer = Result<Response<AnyBody>, Infallible>;

/// Answers `request` as the replica is told to behave now.
pub(super) async fn answer(request: Request<Incoming>, shared: Arc<Shared>, cord: Cord) -> Answer {
    let (behaviour, since) = shared.behaviour();
    if request.uri().path() == "/healthz" {
        return Ok(health(behaviour).await);
    }
    if request.headers().contains_key(UPGRADE) {
        write_down(&shared, request.headers(), &request, 0);
        return Ok(echo(request));
    }
    let (parts, body) = request.into_parts();
    // A request that doesn't arrive whole isn't executed.
    let Ok(body) = body.collect().await else { return pending().await };
    let length = body.to_bytes().len();
    let head = Request::from_parts(parts, ());
    write_down(&shared, head.headers(), &head, length);
    let (parts, ()) = head.into_parts();
    tokio::time::sleep(behaviour.delay(since.elapsed())).await;
    let mut response = match behaviour {
        Behaviour::Frozen => pending().await,
        Behaviour::ResetAfterRequest => {
            cord.pull();
            pending().await
        }
        Behaviour::ResetInAnswer => half(Some(cord)),
        Behaviour::HeadThenSilence => half(None),
        Behaviour::Status(status) => with_status(status),
        Behaviour::Says(text) => with_body("application/json", whole(text)),
        Behaviour::Calls { through, host } => with_status(call(through, host, &parts.headers).await),
        Behaviour::GrpcStatus(code) if is_grpc(&parts.headers) => grpc_failure(code),
        _ => good(&parts, length),
    };
    if let Ok(address) = shared.address.to_string().parse() {
        response.headers_mut().insert(REPLICA_HEADER, address);
    }
    Ok(response)
}

fn write_down<B>(shared: &Shared, headers: &HeaderMap, request: &Request<B>, body_length: usize) {
    shared.ledger.write(Execution {
        at: Instant::now(),
        method: request.method().clone(),
        uri: request.uri().clone(),
        headers: headers.clone(),
        body_length,
    });
}

async fn health(behaviour: Behaviour) -> Response<AnyBody> {
    match behaviour {
        Behaviour::Frozen => pending().await,
        Behaviour::Unhealthy(_) => with_status(StatusCode::SERVICE_UNAVAILABLE),
        _ => with_status(StatusCode::OK),
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// What a function passes on to those that it calls: which request it is at, whether that is a repetition, and until
/// when somebody waits for it.
const PASSED_ON: [&str; 3] = ["x-request-id", ATTEMPT_HEADER, DEADLINE_HEADER];

async fn call(through: SocketAddr, host: &str, headers: &HeaderMap) -> StatusCode {
    let mut ask = Ask::get(host, "/");
    for name in PASSED_ON {
        if let Some(value) = headers.get(name) {
            ask = match ask.header(name, value.as_bytes()) {
                Ok(ask) => ask,
                Err(_) => return StatusCode::INTERNAL_SERVER_ERROR,
            };
        }
    }
    ask.send(through).await.map_or(StatusCode::BAD_GATEWAY, |reply| reply.status)
}

fn with_status(status: StatusCode) -> Response<AnyBody> {
    let mut response = Response::new(whole(format!("{status}\n")));
    *response.status_mut() = status;
    response
}

fn with_body(content_type: &'static str, body: AnyBody) -> Response<AnyBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(content_type));
    response
}

/// What a function does with a request when all is well; the path chooses the kind of answer.
fn good(parts: &Parts, body_length: usize) -> Response<AnyBody> {
    if is_grpc(&parts.headers) {
        let messages = if parts.uri.path().ends_with("/Stream") { CHUNKS } else { 1 };
        return with_body("application/grpc", grpc_messages(messages));
    }
    match parts.uri.path() {
        "/stream" => with_body("text/plain", chunks(|n| format!("chunk {n}\n"))),
        "/events" => with_body("text/event-stream", chunks(|n| format!("data: {n}\n\n"))),
        _ => with_body("text/plain", whole(format!("took {body_length} bytes\n"))),
    }
}

/// [`CHUNKS`] pieces of text, one every [`CHUNK_GAP`].
fn chunks(text: fn(usize) -> String) -> AnyBody {
    let (sender, body) = in_pieces();
    tokio::spawn(async move {
        for n in 0..CHUNKS {
            if sender.send(Frame::data(text(n).into())).await.is_err() {
                return;
            }
            tokio::time::sleep(CHUNK_GAP).await;
        }
    });
    body
}

/// That many messages of one byte, one every [`CHUNK_GAP`], and trailers that say that all went well.
fn grpc_messages(count: usize) -> AnyBody {
    let (sender, body) = in_pieces();
    tokio::spawn(async move {
        for n in 0..count {
            if n > 0 {
                tokio::time::sleep(CHUNK_GAP).await;
            }
            let message = grpc_frame(&[u8::try_from(n).unwrap_or(u8::MAX)]);
            if sender.send(Frame::data(message)).await.is_err() {
                return;
            }
        }
        // If the client has left it needs no trailers.
        let _left = sender.send(Frame::trailers(grpc_status(0))).await;
    });
    body
}

fn grpc_status(code: u8) -> HeaderMap {
    HeaderMap::from_iter([(hyper::header::HeaderName::from_static("grpc-status"), u16::from(code).into())])
}

fn grpc_failure(code: u8) -> Response<AnyBody> {
    let mut response = with_body("application/grpc", whole(Bytes::new()));
    response.headers_mut().extend(grpc_status(code));
    response
}

/// The first half of an answer; then the cord is pulled, or nothing comes any more.
fn half(cord: Option<Cord>) -> Response<AnyBody> {
    let (sender, body) = in_pieces();
    let mut response = with_body("text/plain", body);
    response.headers_mut().insert(CONTENT_LENGTH, 2_u16.into());
    tokio::spawn(async move {
        if let Some(cord) = cord {
            // A client that has left doesn't see the reset either.
            let _left = sender.send(Frame::data(Bytes::from_static(b"1"))).await;
            tokio::time::sleep(BEFORE_RESET).await;
            cord.pull();
        } else {
            sender.closed().await;
        }
    });
    response
}

/// Takes the upgrade and sends back every byte.
fn echo(mut request: Request<Incoming>) -> Response<AnyBody> {
    let protocol = request.headers_mut().remove(UPGRADE);
    tokio::spawn(async move {
        if let Ok(upgraded) = hyper::upgrade::on(request).await {
            let (mut reader, mut writer) = tokio::io::split(TokioIo::new(upgraded));
            // It ends when the client leaves.
            let _left = tokio::io::copy(&mut reader, &mut writer).await;
        }
    });
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().extend(protocol.map(|value| (UPGRADE, value)));
    response.headers_mut().insert(CONNECTION, hyper::header::HeaderValue::from_static("upgrade"));
    response
}
