//! A proxy's admin endpoint, through the API server's port-forward: it listens on the pod's loopback only.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use thiserror::Error;

use super::Proxy;
use crate::access::Access;

/// Envoy's admin endpoint in every proxy of Istio.
const PORT: u16 = 15000;

/// Longest wait for an answer: a whole configuration dump takes well under a second, a proxy on a lost node never
/// answers.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to a proxy's admin endpoint.
pub struct Admin {
    proxy: String,
    sender: SendRequest<Empty<Bytes>>,
}

/// A proxy that doesn't say how it is.
#[derive(Debug, Error)]
#[error("proxy {proxy} can't be asked: {reason}")]
pub struct AdminError {
    /// `namespace/name` of its pod.
    pub proxy: String,
    /// Why.
    pub reason: String,
}

impl Admin {
    /// Opens a connection.
    ///
    /// # Errors
    /// The API server or the pod refuses, or nobody answers in time.
    pub async fn open(access: &Access, proxy: &Proxy) -> Result<Self, AdminError> {
        let name = proxy.in_words();
        in_time(&name, Self::connect(access, proxy)).await
    }

    async fn connect(access: &Access, proxy: &Proxy) -> Result<Self, AdminError> {
        let name = proxy.in_words();
        let failed = |reason: String| AdminError { proxy: name.clone(), reason };
        let pods: Api<Pod> = Api::namespaced(access.client.clone(), &proxy.namespace);
        let forwarded = pods.portforward(&proxy.name, &[PORT]).await;
        let mut forwarder = forwarded.map_err(|error| failed(error.to_string()))?;
        let stream = forwarder.take_stream(PORT);
        let stream = stream.ok_or_else(|| failed(format!("no way to its port {PORT}")))?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(error.to_string()))?;
        tokio::spawn(async move {
            // Both end with the sender; what went wrong is told to whoever waits for an answer.
            let _ = connection.await;
            drop(forwarder);
        });
        Ok(Self { proxy: name, sender })
    }

    /// What `GET path` answers.
    ///
    /// # Errors
    /// No answer in time, or another one than 200.
    pub async fn get(&mut self, path: &str) -> Result<String, AdminError> {
        let name = self.proxy.clone();
        in_time(&name, self.ask(path)).await
    }

    /// An answer that isn't what Envoy answers.
    pub(super) fn unreadable(&self, path: &str, error: &serde_json::Error) -> AdminError {
        AdminError { proxy: self.proxy.clone(), reason: format!("{path}: {error}") }
    }

    async fn ask(&mut self, path: &str) -> Result<String, AdminError> {
        let name = self.proxy.clone();
        let failed = |reason: String| AdminError { proxy: name.clone(), reason };
        let request = Request::get(path).header(HOST, "localhost").body(Empty::new());
        let request = request.map_err(|error| failed(error.to_string()))?;
        let response = self.sender.send_request(request).await.map_err(|error| failed(error.to_string()))?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| failed(error.to_string()))?;
        let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        if status == StatusCode::OK { Ok(text) } else { Err(failed(format!("{path}: {status}: {text}"))) }
    }
}

async fn in_time<T>(
    proxy: &str,
    answer: impl Future<Output = Result<T, AdminError>>,
) -> Result<T, AdminError> {
    let late =
        |_| AdminError { proxy: proxy.to_owned(), reason: format!("no answer for {} s", PATIENCE.as_secs()) };
    tokio::time::timeout(PATIENCE, answer).await.map_err(late)?
}
