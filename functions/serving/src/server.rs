//! The HTTP server around a function: HTTP/1.1, and HTTP/2 to clients that begin with it.

use std::error::Error;
use std::io;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::Answer;

/// How long a drain waits for requests in flight: the grace that Kubernetes gives a pod.
const DRAIN: Duration = Duration::from_secs(30);

/// When no connection can be accepted (no file descriptors left), trying again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Serves until this process is told to end (SIGTERM), as [`serve`] does until it is told to stop.
///
/// # Errors
/// The system doesn't let it hear of that.
pub async fn until_terminated<F, A, E>(listener: TcpListener, function: F) -> io::Result<()>
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Result<Answer, E>> + Send + 'static,
    E: Error + Send + Sync + 'static,
{
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        terminate.recv().await;
    };
    serve(listener, function, stop).await;
    Ok(())
}

/// Serves until `stop` completes; then takes no connection and no further request, finishes what it is at, and returns.
/// A function's error ends the connection in the answer's place (in HTTP/2: the stream).
pub async fn serve<F, A, E>(listener: TcpListener, function: F, stop: impl Future<Output = ()>)
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Result<Answer, E>> + Send + 'static,
    E: Error + Send + Sync + 'static,
{
    let drain = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Without it small answers may wait for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let server = auto::Builder::new(TokioExecutor::new());
        let service = service_fn(function.clone());
        let connection = server.serve_connection(TokioIo::new(stream), service).into_owned();
        // How a connection ends is its client's affair.
        tokio::spawn(drain.watch(connection));
    }
    drop(listener);
    let _ = tokio::time::timeout(DRAIN, drain.shutdown()).await;
}
