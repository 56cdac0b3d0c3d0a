//! One request to the function.

use std::convert::Infallible;
use std::error::Error;
use std::time::SystemTime;

use hyper::body::Body;
use hyper::{Method, Request, StatusCode};
use serving::{Answer, Executions, answer, deadline};

use crate::compute::{DEFAULT_N, MAX_N, nth_prime};

/// Largest request body that is read: a number fits.
const MAX_BODY: usize = 1024;

/// What this process has run.
static EXECUTIONS: Executions = Executions::none();

/// Answers one request: whatever is wrong with it is said in an answer.
///
/// # Errors
/// None.
pub async fn serve<B>(request: Request<B>) -> Result<Answer, Infallible>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    Ok(match (&method, path.as_str()) {
        // The second is where the watchdog of OpenFaaS answers its probes.
        (_, "/healthz" | "/_/health") => answer(StatusCode::OK, "ok\n"),
        (&Method::GET, "/stats") => EXECUTIONS.report(),
        (&Method::GET | &Method::HEAD | &Method::POST | &Method::PUT, "/") => call(request).await,
        (_, "/") => answer(StatusCode::METHOD_NOT_ALLOWED, "GET /?n=1000, or POST / with n in the body\n"),
        (_, _) => answer(StatusCode::NOT_FOUND, "there are /, /healthz and /stats\n"),
    })
}

async fn call<B>(request: Request<B>) -> Answer
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let body = match serving::whole(body, MAX_BODY).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let n = match serving::n(head.uri.query(), &body, 1..=MAX_N, DEFAULT_N) {
        Ok(n) => n,
        Err(reason) => return answer(StatusCode::BAD_REQUEST, reason),
    };
    let deadline = deadline(&head.headers);
    // A thread of its own: the one that serves goes on to answer probes.
    let run = tokio::task::spawn_blocking(move || {
        // Whoever was frozen, or has a long queue, would work for nobody.
        let is_over = deadline.is_some_and(|deadline| deadline < SystemTime::now());
        (!is_over).then(|| {
            EXECUTIONS.begun();
            nth_prime(n)
        })
    });
    match run.await {
        Ok(Some(prime)) => answer(StatusCode::OK, format!("{prime}\n")),
        Ok(None) => answer(StatusCode::GATEWAY_TIMEOUT, "the deadline has passed\n"),
        Err(_) => answer(StatusCode::INTERNAL_SERVER_ERROR, "the run ended without a number\n"),
    }
}
