//! One request: its headers as gateway and provider set them, its answer or their error.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::functions::Functions;
use crate::route::{self, Route};

type Answer = Response<BoxBody<Bytes, hyper::Error>>;

/// The chart's `upstream_timeout`.
const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(60);

/// The provider keeps its connections to pods so long.
const IDLE: Duration = Duration::from_millis(120);

/// A letter of an identifier.
const LETTERS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];

const CALL_ID: HeaderName = HeaderName::from_static("x-call-id");
const START_TIME: HeaderName = HeaderName::from_static("x-start-time");
const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Errors of the provider's own have this one, and not those of functions.
const INTERNAL: HeaderName = HeaderName::from_static("x-openfaas-internal");

/// Headers that are for one hop only.
const HOP: [&str; 9] = [
    "connection",
    "proxy-connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What the provider forwards.
const METHODS: [Method; 7] =
    [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::GET, Method::OPTIONS, Method::HEAD];

/// Gateway and provider.
#[derive(Debug)]
pub(crate) struct Gateway {
    functions: Functions,
    namespace: String,
    client: Client<HttpConnector, Incoming>,
}

impl Gateway {
    pub(crate) fn new(functions: Functions, namespace: String) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(HttpConnector::new());
        Self { functions, namespace, client }
    }

    /// What a client gets.
    pub(crate) async fn answer(&self, mut request: Request<Incoming>, client: SocketAddr) -> Answer {
        let path = request.uri().path().to_owned();
        match route::parse(&path) {
            Route::Health => text(StatusCode::OK, "OK"),
            Route::Unknown => text(StatusCode::NOT_FOUND, "404 page not found\n"),
            Route::Asynchronous => text(StatusCode::NOT_IMPLEMENTED, "not in this stand-in\n"),
            Route::Function { written, name, namespace, rest } => {
                let own = mark(request.headers_mut());
                let is_here = namespace.is_none_or(|namespace| namespace == self.namespace);
                let pod = self.functions.any_pod(name).filter(|_| is_here);
                let mut answer = self.provide(request, client, written, rest, pod).await;
                answer.headers_mut().extend(own);
                answer
            }
        }
    }

    async fn provide(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
        function: &str,
        rest: &str,
        pod: Option<SocketAddr>,
    ) -> Answer {
        if !METHODS.contains(request.method()) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "");
        }
        let Some(pod) = pod else {
            let problem = format!("No endpoints available for: {function}.");
            return failed(StatusCode::SERVICE_UNAVAILABLE, &problem);
        };
        let asked_type = request.headers().get(CONTENT_TYPE).cloned();
        let Some(request) = forwarded(request, client, rest, pod) else {
            let problem = format!("Failed to resolve service: {function}.");
            return failed(StatusCode::INTERNAL_SERVER_ERROR, &problem);
        };
        match tokio::time::timeout(UPSTREAM_TIMEOUT, self.client.request(request)).await {
            Ok(Ok(mut answer)) => {
                let plain = HeaderValue::from_static("text/plain");
                answer.headers_mut().entry(CONTENT_TYPE).or_insert(asked_type.unwrap_or(plain));
                remove_hop_headers(answer.headers_mut());
                answer.map(|body| body.boxed())
            }
            Ok(Err(_)) | Err(_) => {
                failed(StatusCode::INTERNAL_SERVER_ERROR, &format!("Can't reach service for: {function}."))
            }
        }
    }
}

/// Marks a request as the gateway does; what the answer is marked with.
fn mark(headers: &mut HeaderMap) -> HeaderMap {
    let mut own = HeaderMap::new();
    if !headers.contains_key(CALL_ID) {
        let call: String = [8, 4, 4, 4, 12].map(letters).join("-");
        set(headers, CALL_ID, &call);
        set(&mut own, CALL_ID, &call);
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let start = since.as_nanos().to_string();
    set(headers, START_TIME, &start);
    set(&mut own, START_TIME, &start);
    set(&mut own, SERVED_BY, "openfaas-ce/stand-in");
    own
}

/// The request as the pod gets it.
fn forwarded(
    request: Request<Incoming>,
    client: SocketAddr,
    rest: &str,
    pod: SocketAddr,
) -> Option<Request<Incoming>> {
    let (mut head, body) = request.into_parts();
    let query = head.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    head.uri = format!("http://{pod}{rest}{query}").parse::<Uri>().ok()?;
    head.version = Version::HTTP_11;
    remove_hop_headers(&mut head.headers);
    // The client's own name for the gateway; the pod is called by its address.
    if let Some(host) = head.headers.remove(HOST) {
        head.headers.entry(FORWARDED_HOST).or_insert(host);
    }
    if !head.headers.contains_key(FORWARDED_FOR) {
        set(&mut head.headers, FORWARDED_FOR, &client.to_string());
    }
    Some(Request::from_parts(head, body))
}

fn remove_hop_headers(headers: &mut HeaderMap) {
    for name in HOP {
        headers.remove(name);
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn letters(count: usize) -> String {
    std::iter::repeat_with(|| fastrand::choice(LETTERS)).take(count).flatten().collect()
}

/// An error of the provider's own.
fn failed(status: StatusCode, problem: &str) -> Answer {
    let mut answer = text(status, problem);
    answer.headers_mut().insert(INTERNAL, HeaderValue::from_static("proxy"));
    answer
}

fn text(status: StatusCode, text: &str) -> Answer {
    let body = Full::new(Bytes::from(text.to_owned())).map_err(|never| match never {}).boxed();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_has_an_identifier_keeps_it() {
        let mut headers = HeaderMap::new();
        set(&mut headers, CALL_ID, "mine");
        let own = mark(&mut headers);
        assert_eq!(headers[CALL_ID], "mine");
        assert!(!own.contains_key(CALL_ID) && own.contains_key(SERVED_BY));
        assert_eq!(headers[START_TIME], own[START_TIME]);
    }

    #[test]
    fn an_error_of_the_providers_own_is_told_from_the_functions() {
        let answer = failed(StatusCode::SERVICE_UNAVAILABLE, "No endpoints available for: fib.");
        assert_eq!(answer.headers()[INTERNAL], "proxy");
        assert!(!text(StatusCode::OK, "OK").headers().contains_key(INTERNAL));
    }
}
