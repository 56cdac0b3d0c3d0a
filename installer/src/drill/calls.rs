//! A drill's own requests: one each 50 ms, whatever became of those before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::header::HOST;
use hyper::{Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use tokio::task::JoinHandle;

/// Time between two requests: twenty a second find a gap and burden nobody.
const EACH: Duration = Duration::from_millis(50);

/// Longest wait for an answer; one that comes later counts as failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Requests that go on until they are stopped.
#[derive(Debug)]
pub struct Calls {
    sending: JoinHandle<()>,
    answers: Arc<Mutex<Vec<Answer>>>,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Heard {
    /// How many there were.
    pub requests: usize,
    /// How many got no answer below 500.
    pub failed: usize,
    /// What those got instead: a status, `broken` or `timeout`.
    pub by_status: BTreeMap<String, usize>,
    /// The longest time without a good answer, in milliseconds.
    pub longest_gap_ms: u64,
    /// The slowest good answer, in milliseconds.
    pub slowest_ms: u64,
}

#[derive(Debug, Clone)]
struct Answer {
    at: Instant,
    took: Duration,
    /// What came instead of a good one.
    bad: Option<String>,
}

impl Calls {
    /// Begins to call `url`, with another `Host` where one is given.
    #[must_use]
    pub fn start(url: Uri, host: Option<String>) -> Self {
        let answers = Arc::new(Mutex::new(Vec::new()));
        let sending = tokio::spawn(send(url, host, Arc::clone(&answers)));
        Self { sending, answers }
    }

    /// Ends it. Waits for answers that are still to come.
    pub async fn stop(self) -> Heard {
        self.sending.abort();
        let began = Instant::now();
        // The list is shared with each request that is still under way.
        while Arc::strong_count(&self.answers) > 1 && began.elapsed() < PATIENCE {
            tokio::time::sleep(EACH).await;
        }
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        Heard::of(&answers)
    }
}

async fn send(url: Uri, host: Option<String>, answers: Arc<Mutex<Vec<Answer>>>) {
    let client: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let mut due = tokio::time::interval(EACH);
    loop {
        due.tick().await;
        let (client, url, host, answers) = (client.clone(), url.clone(), host.clone(), Arc::clone(&answers));
        tokio::spawn(async move {
            let began = Instant::now();
            let answer = tokio::time::timeout(PATIENCE, call(&client, url, host)).await;
            let bad = answer.unwrap_or_else(|_| Some("timeout".to_owned()));
            let answer = Answer { at: Instant::now(), took: began.elapsed(), bad };
            answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
        });
    }
}

/// What came instead of a whole answer below 500.
async fn call(
    client: &Client<HttpConnector, Empty<Bytes>>,
    url: Uri,
    host: Option<String>,
) -> Option<String> {
    let broken = || Some("broken".to_owned());
    let request = Request::get(url);
    let request = match host {
        Some(host) => request.header(HOST, host),
        None => request,
    };
    let Ok(request) = request.body(Empty::new()) else { return broken() };
    let Ok(response) = client.request(request).await else { return broken() };
    let status = response.status();
    let whole = response.into_body().collect().await.is_ok();
    if status.is_server_error() {
        return Some(status.as_u16().to_string());
    }
    if whole { None } else { broken() }
}

impl Heard {
    fn of(answers: &[Answer]) -> Self {
        let mut good: Vec<&Answer> = answers.iter().filter(|answer| answer.bad.is_none()).collect();
        good.sort_by_key(|answer| answer.at);
        let gaps = good.windows(2).filter_map(|pair| match pair {
            [one, next] => Some(next.at - one.at),
            _ => None,
        });
        let mut by_status = BTreeMap::new();
        for bad in answers.iter().filter_map(|answer| answer.bad.clone()) {
            *by_status.entry(bad).or_insert(0) += 1;
        }
        Self {
            by_status,
            requests: answers.len(),
            failed: answers.len() - good.len(),
            longest_gap_ms: milliseconds(gaps.max().unwrap_or_default()),
            slowest_ms: milliseconds(good.iter().map(|answer| answer.took).max().unwrap_or_default()),
        }
    }

    pub(super) fn in_words(&self) -> String {
        let Self { requests, failed, longest_gap_ms, slowest_ms, by_status } = self;
        let each: Vec<String> =
            by_status.iter().map(|(status, count)| format!("{status} x {count}")).collect();
        let each = if each.is_empty() { String::new() } else { format!(" ({})", each.join(", ")) };
        format!(
            "of its own {requests} requests {failed} failed{each}, the slowest took {slowest_ms} ms; longest time without a good \
             answer {longest_gap_ms} ms\n"
        )
    }
}

/// As a number that JSON can hold.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_between_good_answers_whatever_failed_in_between() {
        let began = Instant::now();
        let answer = |at, bad: Option<&str>| Answer {
            at: began + Duration::from_millis(at),
            took: Duration::from_millis(at / 10),
            bad: bad.map(str::to_owned),
        };
        let answers =
            [answer(100, None), answer(150, Some("503")), answer(400, None), answer(300, Some("timeout"))];
        let heard = Heard::of(&answers);
        assert_eq!((heard.requests, heard.failed, heard.longest_gap_ms, heard.slowest_ms), (4, 2, 300, 40));
        assert!(heard.in_words().contains("2 failed (503 x 1, timeout x 1)"), "{}", heard.in_words());
    }
}
