//! `fake-openfaas-gateway`: forwards requests to functions as the gateway and the provider of OpenFaaS CE do, in one
//! program: to a random ready pod, without the function's name, once.
//!
//! What it doesn't do, and they do: deploying and listing functions, asynchronous calls (it answers 501), scaling from
//! zero, authentication, metrics, server-sent events beside other bodies, namespaces but one, the second hop between
//! gateway and provider (both are in one pod; its errors would be 502).

mod forward;
mod functions;
mod route;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

use forward::Gateway;
use functions::Functions;

/// Stands in for the gateway of OpenFaaS CE.
#[derive(Debug, Parser)]
struct Cli {
    /// Where to listen
    #[arg(long, default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// Where the functions are
    #[arg(long, default_value = "openfaas-fn")]
    namespace: String,
    /// The kubectl that tells of their pods
    #[arg(long, default_value = "/kubectl")]
    kubectl: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let functions = Functions::watch(cli.kubectl, &cli.namespace);
    let gateway = Arc::new(Gateway::new(functions, cli.namespace));
    let listener =
        TcpListener::bind(cli.listen).await.with_context(|| format!("cannot listen at {}", cli.listen))?;
    loop {
        let (stream, client) = listener.accept().await.context("no connection can be accepted")?;
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move {
            let answer = service_fn(move |request| {
                let gateway = Arc::clone(&gateway);
                async move { Ok::<_, std::convert::Infallible>(gateway.answer(request, client).await) }
            });
            // Clients that leave in the midst are none of its business.
            let _ =
                auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}
