//! One request on one connection: what is written, and what its answer counts as.

use std::net::SocketAddr;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::http::response::Parts;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use steadfaas_core::envoy::RESPONSE_HEADER;
use tokio::net::TcpStream;

use super::{Aside, Load};
use crate::record::Got;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How long what is kept of a refusal may be: Envoy's own say their reason within it.
const SAID: usize = 300;

/// What every request of a load says.
pub(super) struct Order {
    template: Request<Full<Bytes>>,
    aside: Option<(Aside, Uri)>,
    seed: u64,
    id_prefix: String,
    keyed: bool,
}

impl Order {
    pub(super) fn of(load: &Load) -> anyhow::Result<Self> {
        let host = load.host.clone().unwrap_or_else(|| load.target.to_string());
        let mut template = Request::new(Full::new(load.body.clone()));
        *template.method_mut() = load.method.clone();
        *template.uri_mut() = load.path.parse().with_context(|| format!("the path {:?}", load.path))?;
        *template.headers_mut() = load.headers.clone();
        template.headers_mut().insert(HOST, HeaderValue::from_str(&host).context("the host")?);
        let aside = match load.aside {
            Some(aside) => {
                Some((aside, aside.path.parse().with_context(|| format!("the path {:?}", aside.path))?))
            }
            None => None,
        };
        let (seed, id_prefix, keyed) = (load.seed, load.id_prefix.clone(), load.keyed);
        Ok(Self { template, aside, seed, id_prefix, keyed })
    }

    pub(super) fn is_aside(&self, index: usize) -> bool {
        self.path_aside(index).is_some()
    }

    fn path_aside(&self, index: usize) -> Option<&Uri> {
        self.aside.as_ref().filter(|(aside, _)| aside.takes(index, self.seed)).map(|(_, path)| path)
    }

    fn request(&self, index: usize) -> Request<Full<Bytes>> {
        let mut request = self.template.clone();
        if let Some(path) = self.path_aside(index) {
            *request.uri_mut() = path.clone();
        }
        if let Ok(id) = HeaderValue::from_str(&format!("{}-{index}", self.id_prefix)) {
            if self.keyed {
                request.headers_mut().insert(KEY, id.clone());
            }
            request.headers_mut().insert(REQUEST_ID, id);
        }
        request
    }
}

/// How a request ended.
pub(super) struct Ended {
    /// What it counts as.
    pub(super) got: Got,
    /// As [`Refusal::said`](super::Refusal::said), if it is a whole answer and not what the client wanted.
    pub(super) refused: Option<String>,
}

impl From<Got> for Ended {
    fn from(got: Got) -> Self {
        Self { got, refused: None }
    }
}

/// An open connection that carries one request at a time.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    pub(super) async fn open(target: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(target).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Its errors are those of the requests on it.
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    /// Whether it can take a request now.
    pub(super) fn is_free(&self) -> bool {
        self.sender.is_ready()
    }

    /// Waits until it can take the next one; false if it was closed instead.
    pub(super) async fn becomes_free(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// What a request gets; a connection that breaks before the answer is whole counts as reset.
    pub(super) async fn send(&mut self, order: &Order, index: usize) -> Ended {
        let Ok(answer) = self.sender.send_request(order.request(index)).await else {
            return Got::Reset.into();
        };
        read_whole(answer).await
    }
}

async fn read_whole(answer: Response<Incoming>) -> Ended {
    let got = Got::Answer(answer.status().as_u16());
    let (head, mut body) = answer.into_parts();
    let mut refused = (!got.is_good()).then(|| beginning(&head));
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Got::Reset.into() };
        if let (Some(said), Some(data)) = (&mut refused, frame.data_ref()) {
            let rest = SAID.saturating_sub(said.len());
            said.extend(String::from_utf8_lossy(data).chars().take(rest));
        }
    }
    Ended { got, refused }
}

/// What a refusal's head says: its status, and what the filter says.
fn beginning(head: &Parts) -> String {
    let filter = head.headers.get(RESPONSE_HEADER).map(|value| format!(", {RESPONSE_HEADER}: {value:?}"));
    format!("{}{}: ", head.status.as_u16(), filter.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_its_id_as_its_key_where_that_is_asked_for() {
        let load = Load::new(SocketAddr::from(([127, 0, 0, 1], 1)), 1.0, 1.0);
        let request = |keyed| Order::of(&Load { keyed, ..load.clone() }).unwrap().request(7);
        assert_eq!(request(true).headers()[KEY], "request-7");
        assert_eq!(request(false).headers().get(KEY), None);
        assert_eq!(request(false).headers()[REQUEST_ID], "request-7");
    }
}
