//! A scripted replica's connections: accepted, served, and closed the way the test wants it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::{Shared, answer};

/// How connections are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// After what they are at.
    WhenIdle,
    /// At once, with RST.
    Reset,
}

/// A connection's emergency cord, for the request that is served on it.
#[derive(Debug, Clone, Default)]
pub(super) struct Cord {
    reset: Arc<AtomicBool>,
    pulled: Arc<Notify>,
}

impl Cord {
    /// Ends the connection with RST.
    pub(super) fn pull(&self) {
        self.reset.store(true, Ordering::SeqCst);
        self.pulled.notify_one();
    }
}

/// Accepts connections until its task is ended.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&shared)));
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let mut closing = shared.closing.subscribe();
    let cord = Cord::default();
    // Without it a small answer may wait for an acknowledgement. If the peer is gone, serving it will tell.
    let _gone = stream.set_nodelay(true);
    let wire = TokioIo::new(Wire { stream, reset: Arc::clone(&cord.reset) });
    let service = service_fn(|request| answer::answer(request, Arc::clone(&shared), cord.clone()));
    let builder = auto::Builder::new(TokioExecutor::new());
    let mut connection = std::pin::pin!(builder.serve_connection_with_upgrades(wire, service));
    loop {
        tokio::select! {
            // How a client leaves is its own affair.
            _ended = &mut connection => return,
            () = cord.pulled.notified() => return,
            order = closing.recv() => match order {
                Ok(Closing::WhenIdle) => connection.as_mut().graceful_shutdown(),
                _ => return cord.reset.store(true, Ordering::SeqCst),
            },
        }
    }
}

/// A socket that is closed with RST instead of FIN if `reset` says so.
struct Wire {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.reset.load(Ordering::SeqCst) {
            // It fails only on a socket that is closed already.
            let _closed = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
