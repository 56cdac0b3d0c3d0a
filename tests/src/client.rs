//! One request of a client that looks closely: headers, the moment of each chunk, trailers. Not for load.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

/// How long any answer may take: several times what the slowest one here does.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request for a function.
#[derive(Debug, Clone)]
pub struct Ask {
    method: Method,
    host: String,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Ask {
    /// A GET.
    #[must_use]
    pub fn get(host: &str, path: &str) -> Self {
        let (host, path) = (host.to_owned(), path.to_owned());
        Self { method: Method::GET, host, path, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// A POST.
    #[must_use]
    pub fn post(host: &str, path: &str, body: impl Into<Bytes>) -> Self {
        Self { method: Method::POST, body: body.into(), ..Self::get(host, path) }
    }

    /// With one more header; its value may be any bytes that HTTP allows.
    ///
    /// # Errors
    /// HTTP doesn't allow it.
    pub fn header(mut self, name: &'static str, value: &[u8]) -> anyhow::Result<Self> {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value)?);
        Ok(self)
    }

    /// Sends it on an HTTP/1.1 connection of its own and reads the whole answer.
    ///
    /// # Errors
    /// There is no answer: the connection broke, or it took too long.
    pub async fn send(self, target: SocketAddr) -> anyhow::Result<Reply> {
        let exchange = async {
            let mut connection = Connection::open(target).await?;
            connection.send(self).await
        };
        tokio::time::timeout(PATIENCE, exchange).await.context("no answer in time")?
    }

    /// The same over HTTP/2 without TLS.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_http2(self, target: SocketAddr) -> anyhow::Result<Reply> {
        let exchange = async {
            let stream = TcpStream::connect(target).await?;
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            let uri = format!("http://{}{}", self.host, self.path);
            let sent = Instant::now();
            let answer = sender.send_request(self.request(&uri)?).await?;
            Ok(Reply::read(answer, sent).await)
        };
        tokio::time::timeout(PATIENCE, exchange).await.context("no answer in time")?
    }

    fn request(self, uri: &str) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(self.method).uri(uri).body(Full::new(self.body))?;
        *request.headers_mut() = self.headers;
        Ok(request)
    }
}

/// A keep-alive connection.
#[derive(Debug)]
pub struct Connection(hyper::client::conn::http1::SendRequest<Full<Bytes>>);

impl Connection {
    /// Opens one.
    ///
    /// # Errors
    /// Nobody listens.
    pub async fn open(target: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(target).await?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Its errors are those of the requests on it.
        tokio::spawn(connection.with_upgrades());
        Ok(Self(sender))
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// The connection broke before an answer began.
    pub async fn send(&mut self, ask: Ask) -> anyhow::Result<Reply> {
        let sent = Instant::now();
        let answer = self.begin(ask).await?;
        Ok(Reply::read(answer, sent).await)
    }

    /// Sends a request and waits for the head of the answer only.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn begin(&mut self, ask: Ask) -> anyhow::Result<Response<Incoming>> {
        let host = HeaderValue::from_str(&ask.host)?;
        let path = ask.path.clone();
        let mut request = ask.request(&path)?;
        request.headers_mut().insert(HOST, host);
        self.0.ready().await?;
        Ok(self.0.send_request(request).await?)
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, piece by piece, with the time since the request was sent.
    pub chunks: Vec<(Duration, Bytes)>,
    /// Its trailers.
    pub trailers: HeaderMap,
    /// It ended as answers end, not by a broken connection.
    pub is_whole: bool,
}

impl Reply {
    async fn read(answer: Response<Incoming>, sent: Instant) -> Self {
        let (head, mut body) = answer.into_parts();
        let (status, headers) = (head.status, head.headers);
        let mut reply =
            Self { status, headers, chunks: Vec::new(), trailers: HeaderMap::new(), is_whole: true };
        while let Some(frame) = body.frame().await {
            match frame.map(hyper::body::Frame::into_data) {
                Ok(Ok(data)) => reply.chunks.push((sent.elapsed(), data)),
                Ok(Err(other)) => reply.trailers.extend(other.into_trailers().unwrap_or_default()),
                Err(_) => reply.is_whole = false,
            }
        }
        reply
    }

    /// Its body as text.
    #[must_use]
    pub fn text(&self) -> String {
        let bytes: Vec<u8> = self.chunks.iter().flat_map(|(_, data)| data.iter().copied()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A header's value; empty if it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
