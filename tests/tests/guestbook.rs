//! The guestbook on a real Redis: an entry is there once, however often it is sent and to whom.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use steadfaas_tests::client::{Ask, Reply};
use steadfaas_tests::guestbook::{Replica, additions, entries};
use steadfaas_tests::redis::Redis;

/// Two replicas on one Redis.
struct Guestbook {
    redis: Redis,
    one: SocketAddr,
    other: SocketAddr,
    _processes: [Replica; 2],
}

impl Guestbook {
    async fn open() -> anyhow::Result<Self> {
        let redis = Redis::start().await?;
        let start = || Replica::start(&redis, Duration::ZERO);
        let processes = [start().await?, start().await?];
        let [one, other] = [&processes[0], &processes[1]].map(Replica::address);
        Ok(Self { redis, one, other, _processes: processes })
    }

    /// Sends an entry to one of them: with an even number to the first, with an odd one to the other.
    async fn add(&self, number: usize, key: &str, text: &str) -> anyhow::Result<Reply> {
        let ask = Ask::post("guestbook", "/", text.to_owned()).header("idempotency-key", key.as_bytes())?;
        ask.send(if number.is_multiple_of(2) { self.one } else { self.other }).await
    }

    /// What a GET gets from the first one.
    async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        Ask::get("guestbook", path).send(self.one).await
    }
}

fn json(reply: &Reply) -> Value {
    serde_json::from_str(&reply.text()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_twice_is_one_entry_and_the_same_answer() -> anyhow::Result<()> {
    let book = Guestbook::open().await?;
    let (first, second) = (book.add(0, "a", "hello").await?, book.add(1, "a", "hello").await?);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
    assert_eq!(json(&first), json(&second), "whose answer was lost learns what it would have");
    assert_eq!(json(&first)["text"], "hello");
    assert_eq!((entries(&book.redis).await?, additions(&book.redis).await?), (1, 2));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_many_times_at_once_is_one_entry_too() -> anyhow::Result<()> {
    let book = Guestbook::open().await?;
    let repeats = (0..40).map(|number| book.add(number, "a", "hello"));
    let replies = futures::future::try_join_all(repeats).await?;
    let first = json(&replies[0]);
    assert!(replies.iter().all(|reply| reply.status == 201 && json(reply) == first), "{replies:?}");
    assert_eq!((entries(&book.redis).await?, additions(&book.redis).await?), (1, 40));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_another_entry_has_is_refused_and_that_one_stays() -> anyhow::Result<()> {
    let book = Guestbook::open().await?;
    book.add(0, "a", "hello").await?;
    let other = book.add(0, "a", "good bye").await?;
    assert_eq!(other.status, 422);
    assert_eq!(other.text(), "the key \"a\" is another entry's: each entry needs its own Idempotency-Key\n");
    assert_eq!(json(&book.get("/").await?)["newest"][0]["text"], "hello");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_the_request_id_is_it_and_without_either_each_is_another_entry() -> anyhow::Result<()> {
    let book = Guestbook::open().await?;
    for _ in 0..2 {
        let ask = Ask::post("guestbook", "/", "hello").header("x-request-id", b"r-1")?;
        assert_eq!(json(&ask.send(book.one).await?)["key"], "r-1");
    }
    assert_eq!(entries(&book.redis).await?, 1);
    for _ in 0..2 {
        Ask::post("guestbook", "/", "hello").send(book.one).await?;
    }
    assert_eq!(entries(&book.redis).await?, 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_entries_come_first_and_only_so_many() -> anyhow::Result<()> {
    let book = Guestbook::open().await?;
    assert_eq!(json(&book.get("/").await?), serde_json::json!({ "count": 0, "newest": [] }));
    for number in 0..12 {
        // By turns: the order is that of Redis, not of a replica.
        book.add(number, &number.to_string(), &format!("entry {number}")).await?;
    }
    let page = json(&book.get("/?n=3").await?);
    let texts: Vec<&str> =
        page["newest"].as_array().unwrap().iter().filter_map(|entry| entry["text"].as_str()).collect();
    assert_eq!((page["count"].as_u64(), texts), (Some(12), vec!["entry 11", "entry 10", "entry 9"]));
    assert_eq!(json(&book.get("/").await?)["newest"].as_array().unwrap().len(), 10);
    let moments: Vec<u64> =
        page["newest"].as_array().unwrap().iter().filter_map(|entry| entry["at_ms"].as_u64()).collect();
    assert!(moments.len() == 3 && moments.is_sorted_by(|later, earlier| later >= earlier), "{moments:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_of_any_language_and_with_any_mark_is_kept_as_it_is() -> anyhow::Result<()> {
    let book = Guestbook::open().await?;
    let text = "Grüße\n\"雪\" \u{0} \\ {guestbook}";
    book.add(0, "a", text).await?;
    assert_eq!(json(&book.get("/").await?)["newest"][0]["text"], text);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_it_says_so_and_is_well_again_once_that_is_back() -> anyhow::Result<()> {
    let mut book = Guestbook::open().await?;
    book.add(0, "a", "hello").await?;
    book.redis.kill()?;
    for _ in 0..3 {
        let refused = book.add(0, "b", "hello").await?;
        let text = refused.text();
        assert_eq!(refused.status, 503, "{text}");
        let start = format!("Redis at {} doesn't do as it was asked: ", book.redis.address());
        assert!(text.starts_with(&start), "{text}");
        assert_eq!(book.get("/").await?.status, 503);
        assert_eq!(book.get("/healthz").await?.status, 503, "no request should come here now");
        assert_eq!(book.get("/livez").await?.status, 200, "another container wouldn't help");
    }
    book.redis.restart().await?;
    // At once: the first request after an outage isn't one of its victims.
    assert_eq!(book.add(0, "b", "hello").await?.status, 201);
    assert_eq!(book.get("/healthz").await?.status, 200);
    assert_eq!(entries(&book.redis).await?, 1);
    Ok(())
}

/// The replica learns that its connection is gone only when it uses it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_was_away_while_nobody_asked_fails_nobody() -> anyhow::Result<()> {
    let mut book = Guestbook::open().await?;
    book.add(0, "a", "hello").await?;
    book.redis.kill()?;
    book.redis.restart().await?;
    assert_eq!(book.add(0, "b", "hello").await?.status, 201);
    Ok(())
}
