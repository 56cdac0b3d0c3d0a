//! The HTTP server around the function: HTTP/1.1, and HTTP/2 to clients that begin with it.

use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

use crate::function::Function;

/// How long a drain waits for requests in flight: the grace that Kubernetes gives a pod.
const DRAIN: Duration = Duration::from_secs(30);

/// When no connection can be accepted (no file descriptors left), trying again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Serves until `stop` completes; then takes no connection and no further request, finishes what it is at, and returns.
pub async fn serve(listener: TcpListener, function: Arc<Function>, stop: impl Future<Output = ()>) {
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
        let function = Arc::clone(&function);
        let service = service_fn(move |request| Arc::clone(&function).serve(request));
        let server = auto::Builder::new(TokioExecutor::new());
        let connection = server.serve_connection(TokioIo::new(stream), service).into_owned();
        // How a connection ends is its client's affair.
        tokio::spawn(drain.watch(connection));
    }
    drop(listener);
    let _ = tokio::time::timeout(DRAIN, drain.shutdown()).await;
}
