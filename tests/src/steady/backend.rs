//! What answers: 200 to whatever is asked, at two addresses. No HTTP library, for the same reason as the client.

use std::io;
use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 4\r\n\r\n610\n";

/// How a request without a body ends.
const END: &[u8] = b"\r\n\r\n";

/// More than a request has.
const BUFFER: usize = 4096;

/// A place to answer at.
pub(super) fn bind() -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Answers there until the runtime ends.
pub(super) async fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(answer(stream));
    }
}

/// Answers one request after the other, as Envoy sends them on a connection.
async fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; BUFFER];
    let mut filled = 0;
    loop {
        let read = stream.read(buffer.get_mut(filled..).unwrap_or_default()).await?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        if buffer.get(..filled).is_some_and(|text| text.ends_with(END)) {
            stream.write_all(ANSWER).await?;
            filled = 0;
        }
    }
}
