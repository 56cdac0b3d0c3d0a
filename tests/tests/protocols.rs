//! What passes through a protected function besides plain requests: uploads, streams, gRPC, HTTP/2, upgrades.

use std::time::Duration;

use bytes::Bytes;
use steadfaas_tests::client::{Ask, Connection, Reply};
use steadfaas_tests::scripted::{Behaviour, CHUNK_GAP, CHUNKS, REPLICA_HEADER, grpc_frame};
use steadfaas_tests::stage::{Function, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const RETRY: &str = "strategy: retry";
const STRATEGIES: [&str; 3] = [RETRY, "strategy: active-standby", "strategy: request-replication"];

const UPLOAD: usize = 3 * 1024 * 1024;

#[tokio::test]
async fn an_upload_of_3_mb_goes_to_another_replica_when_the_first_resets() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, RETRY).await?;
    let stage = Stage::with(&[&fib]).await?;
    fib.replicas[0].behave(Behaviour::ResetAfterRequest);
    for key in [b"1", b"2"] {
        let upload = fib.post("/", vec![b'x'; UPLOAD]).header("idempotency-key", key)?;
        let reply = upload.send(stage.target).await?;
        assert_eq!((reply.status.as_u16(), reply.text()), (200, format!("took {UPLOAD} bytes\n")));
    }
    assert_eq!(fib.replicas[0].ledger().count(), 1, "the faulty replica is tried once, then set aside");
    assert_eq!(fib.replicas[1].ledger().count(), 2);
    Ok(())
}

#[tokio::test]
async fn an_upload_of_3_mb_without_key_goes_to_another_replica_when_the_first_refuses() -> anyhow::Result<()>
{
    let fib = Function::new("fib", 2, RETRY).await?;
    let stage = Stage::with(&[&fib]).await?;
    fib.replicas[0].die().await;
    for _ in 0..2 {
        let reply = fib.post("/", vec![b'x'; UPLOAD]).send(stage.target).await?;
        assert_eq!((reply.status.as_u16(), reply.text()), (200, format!("took {UPLOAD} bytes\n")));
    }
    assert!(fib.runs().values().all(|runs| *runs == 1));
    Ok(())
}

/// The pieces came one by one, not all at the end: half of what lay between them at the replica lies between them at
/// the client.
fn assert_came_as_produced(reply: &Reply) {
    let times: Vec<Duration> = reply.chunks.iter().map(|(time, _)| *time).collect();
    let (first, last) =
        (times.first().copied().unwrap_or_default(), times.last().copied().unwrap_or_default());
    let gaps = CHUNK_GAP.mul_f64(CHUNKS as f64 - 1.0);
    assert!(reply.chunks.len() >= CHUNKS, "{} pieces", reply.chunks.len());
    assert!(last - first > gaps / 2, "first piece after {first:?}, last after {last:?}");
    assert!(reply.is_whole);
}

#[tokio::test]
async fn streams_and_events_arrive_as_they_are_produced() -> anyhow::Result<()> {
    for strategy in STRATEGIES {
        let fib = Function::new("fib", 2, strategy).await?;
        let stage = Stage::with(&[&fib]).await?;
        let stream = fib.get("/stream").send(stage.target).await?;
        assert_came_as_produced(&stream);
        assert_eq!(stream.text(), "chunk 0\nchunk 1\nchunk 2\nchunk 3\nchunk 4\n", "{strategy}");
        let events = fib.get("/events").send(stage.target).await?;
        assert_came_as_produced(&events);
        assert_eq!(events.header("content-type"), "text/event-stream");
        assert_eq!(events.text(), "data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\n", "{strategy}");
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_begun_again() -> anyhow::Result<()> {
    for strategy in STRATEGIES {
        let fib = Function::new("fib", 2, strategy).await?;
        let stage = Stage::with(&[&fib]).await?;
        fib.replicas.iter().for_each(|replica| replica.behave(Behaviour::ResetInAnswer));
        let reply = fib.get("/").send(stage.target).await?;
        assert_eq!(reply.text(), "1", "{strategy}: half of one answer, not of two");
        assert!(!reply.is_whole, "{strategy}: the client can tell that it isn't whole");
    }
    Ok(())
}

fn grpc(function: &Function, method: &str) -> anyhow::Result<Ask> {
    function
        .post(&format!("/fib.Fib/{method}"), grpc_frame(b"15"))
        .header("content-type", b"application/grpc")?
        .header("te", b"trailers")
}

fn grpc_status(reply: &Reply) -> &str {
    let of = |headers: &hyper::HeaderMap| headers.contains_key("grpc-status");
    let headers = if of(&reply.trailers) { &reply.trailers } else { &reply.headers };
    headers.get("grpc-status").and_then(|value| value.to_str().ok()).unwrap_or("none")
}

#[tokio::test]
async fn grpc_calls_that_fail_as_unavailable_go_to_another_replica() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: retry; protocol: http2; idempotent: \"true\"").await?;
    let stage = Stage::with(&[&fib]).await?;
    let well = grpc(&fib, "Unary")?.send_http2(stage.target).await?;
    assert_eq!((grpc_status(&well), well.text().as_bytes()), ("0", &grpc_frame(&[0])[..]));
    fib.replicas[0].behave(Behaviour::GrpcStatus(14));
    for _ in 0..4 {
        let reply = grpc(&fib, "Unary")?.send_http2(stage.target).await?;
        assert_eq!((grpc_status(&reply), reply.text().as_bytes()), ("0", &grpc_frame(&[0])[..]));
    }
    assert!(fib.runs().values().any(|runs| *runs == 2), "one of them went to the failing replica first");
    Ok(())
}

#[tokio::test]
async fn grpc_calls_that_must_not_run_twice_are_told_unavailable() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: retry; protocol: http2").await?;
    let stage = Stage::with(&[&fib]).await?;
    fib.replicas.iter().for_each(|replica| replica.behave(Behaviour::GrpcStatus(14)));
    let reply = grpc(&fib, "Unary")?.send_http2(stage.target).await?;
    assert_eq!(grpc_status(&reply), "14");
    assert_eq!(fib.executions(), 1);
    Ok(())
}

#[tokio::test]
async fn grpc_streams_arrive_as_they_are_produced() -> anyhow::Result<()> {
    for strategy in STRATEGIES {
        let settings = format!("{strategy}; protocol: http2; idempotent: \"true\"");
        let fib = Function::new("fib", 2, &settings).await?;
        let stage = Stage::with(&[&fib]).await?;
        let reply = grpc(&fib, "Stream")?.send_http2(stage.target).await?;
        assert_came_as_produced(&reply);
        assert_eq!(grpc_status(&reply), "0", "{strategy}");
        let bytes: usize = reply.chunks.iter().map(|(_, chunk)| chunk.len()).sum();
        assert_eq!(bytes, CHUNKS * grpc_frame(&[0]).len());
    }
    Ok(())
}

#[tokio::test]
async fn http2_clients_don_t_see_a_dead_replica() -> anyhow::Result<()> {
    for strategy in STRATEGIES {
        let fib = Function::new("fib", 2, strategy).await?;
        let stage = Stage::with(&[&fib]).await?;
        fib.replicas[0].die().await;
        for _ in 0..10 {
            let reply = fib.get("/").send_http2(stage.target).await?;
            assert_eq!(reply.status, 200, "{strategy}: {}", reply.text());
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_kept_alive_connection_lives_through_a_failover() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, RETRY).await?;
    let stage = Stage::with(&[&fib]).await?;
    let mut connection = Connection::open(stage.target).await?;
    let mut answered_by = std::collections::BTreeSet::new();
    for number in 0..20 {
        if number == 10 {
            fib.replicas[0].die().await;
        }
        let reply = connection.send(fib.get("/")).await?;
        assert_eq!(reply.status, 200, "request {number}: {}", reply.text());
        answered_by.insert(reply.header(REPLICA_HEADER).to_owned());
    }
    assert_eq!(answered_by.len(), 2);
    Ok(())
}

/// Reads until `end` has come.
async fn read_until(stream: &mut TcpStream, end: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    while !text.contains(end) {
        let mut bytes = [0; 1024];
        let count = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut bytes)).await??;
        anyhow::ensure!(count > 0, "the connection ended after {text:?}");
        text.push_str(&String::from_utf8_lossy(bytes.get(..count).unwrap_or_default()));
    }
    Ok(text)
}

#[tokio::test]
async fn a_client_that_expects_100_continue_gets_it_and_its_answer() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, RETRY).await?;
    let stage = Stage::with(&[&fib]).await?;
    fib.replicas[0].die().await;
    for _ in 0..2 {
        let mut stream = TcpStream::connect(stage.target).await?;
        let head = "POST / HTTP/1.1\r\nhost: fib.test\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        assert!(read_until(&mut stream, "\r\n\r\n").await?.starts_with("HTTP/1.1 100"));
        stream.write_all(b"12345").await?;
        let answer = read_until(&mut stream, "took 5 bytes").await?;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert_eq!(fib.executions(), 2);
    Ok(())
}

#[tokio::test]
async fn a_websocket_passes_untouched() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, RETRY).await?;
    let stage = Stage::with(&[&fib]).await?;
    let mut stream = TcpStream::connect(stage.target).await?;
    let head = "GET /socket HTTP/1.1\r\nhost: fib.test\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    let answer = read_until(&mut stream, "\r\n\r\n").await?;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    for words in ["to", "and fro"] {
        stream.write_all(words.as_bytes()).await?;
        assert_eq!(read_until(&mut stream, words).await?, words);
    }
    stage.wait_for(|metrics| metrics.passed_through("fib", "upgrade") == 1).await
}

#[tokio::test]
async fn a_body_reaches_the_replica_as_it_was_sent() -> anyhow::Result<()> {
    let fib = Function::new("fib", 3, "strategy: request-replication; tolerate: \"2\"").await?;
    let stage = Stage::with(&[&fib]).await?;
    let body = Bytes::from(vec![7; 200 * 1024]);
    let reply = fib.post("/", body.clone()).header("idempotency-key", b"1")?.send(stage.target).await?;
    assert_eq!(reply.text(), format!("took {} bytes\n", body.len()));
    for execution in fib.replicas.iter().flat_map(|replica| replica.ledger().executions()) {
        assert_eq!(execution.body_length, body.len());
    }
    Ok(())
}
