//! One request to the function.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper::body::Body;
use hyper::{Method, Request, StatusCode};
use serde::Serialize;
use serving::{Answer, Executions, answer, deadline, json};

use crate::key;
use crate::store::{Entry, Store, StoreError};

/// Longest entry, in bytes: a page of text. Redis keeps all of them in memory.
pub const MAX_TEXT: usize = 4096;

/// Most entries that one answer has: 400 KB of the longest.
pub const MAX_NEWEST: u64 = 100;

/// How many it has where a request doesn't say.
pub const DEFAULT_NEWEST: u64 = 10;

/// The function: all requests of a process share it.
#[derive(Debug)]
pub struct Guestbook {
    store: Store,
    work: Duration,
    executions: Executions,
}

/// What is answered to an entry.
#[derive(Serialize)]
struct Added<'a> {
    key: &'a str,
    #[serde(flatten)]
    entry: Entry,
}

impl Guestbook {
    /// One whose entries are there. Adding one takes so long after it is stored.
    #[must_use]
    pub fn new(store: Store, work: Duration) -> Arc<Self> {
        Arc::new(Self { store, work, executions: Executions::none() })
    }

    /// Answers one request: whatever is wrong with it is said in an answer.
    ///
    /// # Errors
    /// None.
    pub async fn serve<B>(self: Arc<Self>, request: Request<B>) -> Result<Answer, Infallible>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answered = match (&method, path.as_str()) {
            // Well is who can do what is asked of it: Kubernetes' readiness is where no requests should go for want of
            // a dependency. The second is where the watchdog of OpenFaaS answers its probes.
            (_, "/healthz" | "/_/health") => self.ready().await,
            // A container that is started anew brings no Redis back, so what decides about that asks here.
            (_, "/livez") => Ok(answer(StatusCode::OK, "ok\n")),
            (&Method::GET, "/stats") => Ok(self.executions.report()),
            (&Method::GET | &Method::HEAD, "/") => self.read(request.uri().query()).await,
            (&Method::POST, "/") => self.add(request).await,
            (_, "/") => {
                let text = "GET /?n=10 for the newest entries, POST / with an entry's text\n";
                Ok(answer(StatusCode::METHOD_NOT_ALLOWED, text))
            }
            (_, _) => Ok(answer(StatusCode::NOT_FOUND, "there are /, /healthz, /livez and /stats\n")),
        };
        Ok(answered.unwrap_or_else(unavailable))
    }

    async fn ready(&self) -> Result<Answer, StoreError> {
        self.store.ping().await?;
        Ok(answer(StatusCode::OK, "ok\n"))
    }

    async fn read(&self, query: Option<&str>) -> Result<Answer, StoreError> {
        match serving::n(query, b"", 1..=MAX_NEWEST, DEFAULT_NEWEST) {
            Ok(most) => {
                self.executions.begun();
                Ok(json(StatusCode::OK, &self.store.newest(most).await?))
            }
            Err(reason) => Ok(answer(StatusCode::BAD_REQUEST, reason)),
        }
    }

    async fn add<B>(&self, request: Request<B>) -> Result<Answer, StoreError>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let key = match key::of(&head.headers) {
            Ok(key) => key,
            Err(reason) => return Ok(answer(StatusCode::BAD_REQUEST, reason)),
        };
        let body = match serving::whole(body, MAX_TEXT).await {
            Ok(body) => body,
            Err(refused) => return Ok(refused),
        };
        let Some(text) = str::from_utf8(&body).ok().filter(|text| !text.trim().is_empty()) else {
            return Ok(answer(StatusCode::BAD_REQUEST, "an entry is text in UTF-8, and not empty\n"));
        };
        if deadline(&head.headers).is_some_and(|deadline| deadline < SystemTime::now()) {
            return Ok(answer(StatusCode::GATEWAY_TIMEOUT, "the deadline has passed\n"));
        }
        self.executions.begun();
        let entry = self.store.add(&key, text).await?;
        if entry.text != text {
            let text =
                format!("the key {key:?} is another entry's: each entry needs its own Idempotency-Key\n");
            return Ok(answer(StatusCode::UNPROCESSABLE_ENTITY, text));
        }
        tokio::time::sleep(self.work).await;
        // The same as the first time: whose answer was lost learns what it would have.
        Ok(json(StatusCode::CREATED, &Added { key: &key, entry }))
    }
}

/// Nothing is known to be stored or not: the client, or steadfaas, may ask again.
fn unavailable(error: StoreError) -> Answer {
    answer(StatusCode::SERVICE_UNAVAILABLE, format!("{:#}\n", anyhow::Error::new(error)))
}
