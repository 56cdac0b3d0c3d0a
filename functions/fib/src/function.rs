//! One request to the function: it waits for a worker, runs, and is answered, whether anybody still waits or not.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use tokio::sync::{Semaphore, oneshot};

use crate::compute::{fibonacci, wanted};
use crate::fault::Fault;
use crate::random::SplitMix64;
use crate::stats::Stats;

/// What a request gets.
pub type Answer = Response<Full<Bytes>>;

/// Largest request body that is read: a number fits; a test of uploads sends a few megabytes.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// What the function is like.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Time that one run takes besides computing: stands for I/O.
    pub work: Duration,
    /// How many runs there may be at once; none: as many as come.
    pub concurrency: Option<usize>,
    /// Whether `POST /fault` is listened to.
    pub allow_faults: bool,
}

/// The function: all requests of a process share it.
#[derive(Debug)]
pub struct Function {
    options: Options,
    stats: Stats,
    workers: Semaphore,
    fault: Mutex<(Fault, SplitMix64)>,
}

impl Function {
    /// A function that has run nothing yet.
    #[must_use]
    pub fn new(options: Options, stats: Stats) -> Arc<Self> {
        let workers = Semaphore::new(options.concurrency.unwrap_or(Semaphore::MAX_PERMITS));
        let fault = Mutex::new((Fault::default(), SplitMix64::new(0)));
        Arc::new(Self { options, stats, workers, fault })
    }

    /// Answers one request.
    ///
    /// # Errors
    /// Never: whatever is wrong with a request is answered.
    pub async fn serve(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let route = (request.method().clone(), request.uri().path().to_owned());
        Ok(match (&route.0, route.1.as_str()) {
            (_, "/healthz") => answer(StatusCode::OK, "ok\n"),
            (&Method::GET, "/stats") => self.report(request.uri().query()),
            (&Method::POST, "/fault") if self.options.allow_faults => self.set_fault(request).await,
            (&Method::GET | &Method::HEAD | &Method::POST | &Method::PUT, "/") => self.call(request).await,
            (_, "/") => answer(StatusCode::METHOD_NOT_ALLOWED, "GET /?n=15, or POST / with n in the body\n"),
            (_, _) => answer(StatusCode::NOT_FOUND, "there are /, /healthz and /stats\n"),
        })
    }

    /// A request to the function proper. The run is a task of its own: this future is dropped when the client goes,
    /// and then the receiver with it, which is how the run knows that nobody waits.
    async fn call(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        self.stats.received();
        let (head, body) = request.into_parts();
        let body = match http_body_util::Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                return answer(StatusCode::BAD_REQUEST, format!("the body can't be read: {error}\n"));
            }
        };
        let n = match wanted(head.uri.query(), &body) {
            Ok(n) => n,
            Err(reason) => return answer(StatusCode::BAD_REQUEST, reason),
        };
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(Arc::clone(&self).run(n, request_id(&head.headers), sender));
        match receiver.await {
            Ok(number) => answer(StatusCode::OK, format!("{number}\n")),
            Err(_) => answer(StatusCode::INTERNAL_SERVER_ERROR, "the run ended without a number\n"),
        }
    }

    /// A worker is a thread, as in most function servers: while it runs it serves nobody else, and its sleep is exact
    /// where the timers of an async runtime are a millisecond coarse.
    async fn run(self: Arc<Self>, n: u8, id: Option<String>, answer: oneshot::Sender<u64>) {
        let Ok(_turn) = self.workers.acquire().await else { return };
        let function = Arc::clone(&self);
        let worker = tokio::task::spawn_blocking(move || {
            function.stats.begun(id.as_deref());
            std::thread::sleep(function.options.work + function.fault_delay());
            let waited_for = answer.send(fibonacci(n)).is_ok();
            function.stats.ended(waited_for);
        });
        // A worker that panics lets go of the answer's sender: whoever waits gets an error.
        let _ = worker.await;
    }

    fn fault_delay(&self) -> Duration {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let drawn = fault.1.fraction();
        fault.0.delay(drawn)
    }

    fn report(&self, query: Option<&str>) -> Answer {
        let with_ids = query.unwrap_or("").split('&').any(|pair| pair == "ids=1");
        match serde_json::to_string(&self.stats.report(with_ids)) {
            Ok(text) => answer(StatusCode::OK, text),
            Err(error) => answer(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
        }
    }

    async fn set_fault(&self, request: Request<Incoming>) -> Answer {
        let Ok(body) = request.into_body().collect().await else {
            return answer(StatusCode::BAD_REQUEST, "the fault can't be read\n");
        };
        match Fault::parse(&String::from_utf8_lossy(&body.to_bytes())) {
            Ok(fault) => {
                self.fault.lock().unwrap_or_else(PoisonError::into_inner).0 = fault;
                answer(StatusCode::OK, "set\n")
            }
            Err(error) => answer(StatusCode::BAD_REQUEST, format!("{error}\n")),
        }
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned)
}

fn answer(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    answer
}
