//! The cheapest client there is: a few connections, on each the next request as soon as the answer is there. No HTTP
//! library: what it costs is taken from the core that also answers.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::thread::{CpuSet, sched_setaffinity};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::{CONNECTIONS, PROXY_CORE, backend};

/// The load and what answers it share this core.
const CORE: usize = 0;

const REQUEST: &[u8] = b"GET /?n=15 HTTP/1.1\r\nhost: fib\r\n\r\n";

/// How a good answer begins, and how the backend's ends.
const STATUS: &[u8] = b"HTTP/1.1 200 ";
const END: &[u8] = b"\r\n\r\n610\n";

/// More than an answer has.
const BUFFER: usize = 4096;

/// What a slice of load came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    pub(super) requests: u32,
    pub(super) took: Duration,
}

struct Job {
    target: SocketAddr,
    time: Duration,
    answer: oneshot::Sender<anyhow::Result<Done>>,
}

/// The client, and the backend beside it, on a thread of their own that is kept to one core.
pub(super) struct Client {
    jobs: mpsc::UnboundedSender<Job>,
    backend: [SocketAddr; 2],
}

impl Client {
    pub(super) fn start() -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism()?.get();
        anyhow::ensure!(cores > PROXY_CORE, "two cores are needed: one for the proxy, one for the load");
        let (jobs, mut receiver) = mpsc::unbounded_channel::<Job>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listeners = [backend::bind()?, backend::bind()?];
        let [first, second] = &listeners;
        let backend = [first.local_addr()?, second.local_addr()?];
        let work = move || {
            let mut cores = CpuSet::new();
            cores.set(CORE);
            // Where the system doesn't allow it, the proxy's share of its core shows that something is wrong.
            let _ = sched_setaffinity(None, &cores);
            runtime.block_on(async {
                for listener in listeners {
                    tokio::spawn(backend::serve(listener));
                }
                while let Some(job) = receiver.recv().await {
                    let done = load(job.target, job.time).await;
                    // Who asked may have given up.
                    let _ = job.answer.send(done);
                }
            });
        };
        std::thread::Builder::new().name("client".to_owned()).spawn(work)?;
        Ok(Self { jobs, backend })
    }

    /// Where the backend answers.
    pub(super) fn backend(&self) -> [SocketAddr; 2] {
        self.backend
    }

    /// Loads `target` for that time.
    pub(super) async fn load(&self, target: SocketAddr, time: Duration) -> anyhow::Result<Done> {
        let (answer, done) = oneshot::channel();
        self.jobs.send(Job { target, time, answer }).ok().context("the client has ended")?;
        done.await.context("the client has ended")?
    }
}

async fn load(target: SocketAddr, time: Duration) -> anyhow::Result<Done> {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(target).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let started = Instant::now();
    let end = started + time;
    let mut tasks: JoinSet<io::Result<u32>> =
        streams.into_iter().map(|stream| ask_until(stream, end)).collect();
    let mut requests = 0;
    while let Some(count) = tasks.join_next().await {
        requests += count?.with_context(|| format!("{target} answers badly"))?;
    }
    Ok(Done { requests, took: started.elapsed() })
}

async fn ask_until(mut stream: TcpStream, end: Instant) -> io::Result<u32> {
    let mut buffer = [0; BUFFER];
    let mut count = 0;
    while Instant::now() < end {
        stream.write_all(REQUEST).await?;
        read_answer(&mut stream, &mut buffer).await?;
        count += 1;
    }
    Ok(count)
}

/// An answer ends with the backend's body, which is the same each time.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    loop {
        let free = buffer.get_mut(filled..).unwrap_or_default();
        let read = stream.read(free).await?;
        filled += read;
        let text = buffer.get(..filled).unwrap_or_default();
        if text.starts_with(STATUS) && text.ends_with(END) {
            return Ok(());
        }
        if read == 0 || (filled >= STATUS.len() && !text.starts_with(STATUS)) {
            let text = String::from_utf8_lossy(text).into_owned();
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
    }
}
