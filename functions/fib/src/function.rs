//! One request to the function: it waits for a worker, runs, and is answered, whether anybody still waits or not.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, StatusCode};
use serving::{Answer, answer, deadline};
use thiserror::Error;
use tokio::sync::{Semaphore, oneshot};

use crate::compute::{fibonacci, wanted};
use crate::fault::{Bad, Fault, Hit};
use crate::random::SplitMix64;
use crate::service_time::ServiceTime;
use crate::stats::Stats;

/// The connection ends here, without an answer: only ever a fault that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the answer is withheld")]
pub struct Withheld;

/// Largest request body that is read: a number fits; a test of uploads sends a few megabytes.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// One run that is wanted.
#[derive(Debug)]
struct Run {
    n: u8,
    time: Duration,
    id: Option<String>,
    deadline: Option<SystemTime>,
}

/// What the function is like.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Time that one run takes besides computing: stands for I/O.
    pub work: ServiceTime,
    /// The same for `/slow`, which there is only with it: a path of the function that takes longer than `/`.
    pub slow_work: Option<Duration>,
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

    /// Answers one request: whatever is wrong with it is said in an answer.
    ///
    /// # Errors
    /// A fault wants the connection to end instead.
    pub async fn serve(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Withheld> {
        let route = (request.method().clone(), request.uri().path().to_owned());
        Ok(match (&route.0, route.1.as_str()) {
            // The second is where the watchdog of OpenFaaS answers its probes.
            (_, "/healthz" | "/_/health") => return self.probe().await,
            (&Method::GET, "/stats") => self.report(request.uri().query()),
            (&Method::POST, "/fault") if self.options.allow_faults => self.set_fault(request).await,
            (_, "/slow") if self.options.slow_work.is_none() => not_found(),
            (&Method::GET | &Method::HEAD | &Method::POST | &Method::PUT, "/" | "/slow") => {
                return self.call(request).await;
            }
            (_, "/" | "/slow") => {
                answer(StatusCode::METHOD_NOT_ALLOWED, "GET /?n=15, or POST / with n in the body\n")
            }
            (_, _) => not_found(),
        })
    }

    async fn probe(&self) -> Result<Answer, Withheld> {
        let hit = if self.fault().0.probes { self.hit() } else { Hit::default() };
        tokio::time::sleep(hit.delay).await;
        answered(hit.answer, "ok\n".to_owned())
    }

    /// A request to the function proper. The run is a task of its own: this future is dropped when the client goes,
    /// and then the receiver with it, which is how the run knows that nobody waits.
    async fn call(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Withheld> {
        self.stats.received();
        let (head, body) = request.into_parts();
        let body = match http_body_util::Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                return Ok(answer(StatusCode::BAD_REQUEST, format!("the body can't be read: {error}\n")));
            }
        };
        let n = match wanted(head.uri.query(), &body) {
            Ok(n) => n,
            Err(reason) => return Ok(answer(StatusCode::BAD_REQUEST, reason)),
        };
        let (hit, usual) = (self.hit(), self.usual_time(&head));
        let (sender, receiver) = oneshot::channel();
        let run = Run {
            n,
            time: usual + hit.delay,
            id: header(&head.headers, "x-request-id").map(str::to_owned),
            deadline: deadline(&head.headers),
        };
        tokio::spawn(Arc::clone(&self).run(run, sender));
        match receiver.await {
            Ok(Some(number)) => answered(hit.answer, format!("{number}\n")),
            Ok(None) => Ok(answer(StatusCode::GATEWAY_TIMEOUT, "the deadline has passed\n")),
            Err(_) => Ok(answer(StatusCode::INTERNAL_SERVER_ERROR, "the run ended without a number\n")),
        }
    }

    /// A worker is a thread, as in most function servers: while it runs it serves nobody else, and its sleep is exact
    /// where the timers of an async runtime are a millisecond coarse.
    ///
    /// A request whose deadline has passed is dropped: whoever was frozen, or has a long queue, would work for nobody.
    async fn run(self: Arc<Self>, run: Run, answer: oneshot::Sender<Option<u64>>) {
        let Ok(_turn) = self.workers.acquire().await else { return };
        if run.deadline.is_some_and(|deadline| deadline < SystemTime::now()) {
            self.stats.dropped();
            let _ = answer.send(None);
            return;
        }
        let function = Arc::clone(&self);
        let worker = tokio::task::spawn_blocking(move || {
            function.stats.begun(run.id.as_deref());
            std::thread::sleep(run.time);
            let number = fibonacci(run.n);
            // Counted before it is answered: who has the answer finds it in the counts.
            function.stats.ended(!answer.is_closed());
            let _ = answer.send(Some(number));
        });
        // A worker that panics lets go of the answer's sender: whoever waits gets an error.
        let _ = worker.await;
    }

    /// What a run takes while all is well.
    fn usual_time(&self, head: &Parts) -> Duration {
        match self.options.slow_work {
            Some(time) if head.uri.path() == "/slow" => time,
            _ => {
                let attempt = header(&head.headers, "x-envoy-attempt-count").unwrap_or("1");
                self.options.work.of(header(&head.headers, "x-request-id").unwrap_or(""), attempt)
            }
        }
    }

    fn fault(&self) -> MutexGuard<'_, (Fault, SplitMix64)> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hit(&self) -> Hit {
        let mut fault = self.fault();
        let drawn = fault.1.fraction();
        fault.0.hit(drawn)
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
                self.fault().0 = fault;
                answer(StatusCode::OK, "set\n")
            }
            Err(error) => answer(StatusCode::BAD_REQUEST, format!("{error}\n")),
        }
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// What a run or a probe is answered with, as the fault has it.
fn answered(bad: Option<Bad>, good: String) -> Result<Answer, Withheld> {
    match bad {
        None => Ok(answer(StatusCode::OK, good)),
        Some(Bad::Unavailable) => Ok(answer(StatusCode::SERVICE_UNAVAILABLE, "unavailable, as asked for\n")),
        Some(Bad::Reset) => Err(Withheld),
    }
}

fn not_found() -> Answer {
    answer(StatusCode::NOT_FOUND, "there are /, /healthz and /stats\n")
}
