//! A drill's own requests: one each 50 ms, whatever became of those before.

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
    /// The longest time without a good answer, in milliseconds.
    pub longest_gap_ms: u64,
    /// The slowest good answer, in milliseconds.
    pub slowest_ms: u64,
}

#[derive(Debug, Clone, Copy)]
struct Answer {
    at: Instant,
    took: Duration,
    good: bool,
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
            let good = tokio::time::timeout(PATIENCE, call(&client, url, host)).await.unwrap_or(false);
            let answer = Answer { at: Instant::now(), took: began.elapsed(), good };
            answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
        });
    }
}

/// Whether the answer is whole and below 500.
async fn call(client: &Client<HttpConnector, Empty<Bytes>>, url: Uri, host: Option<String>) -> bool {
    let request = Request::get(url);
    let request = match host {
        Some(host) => request.header(HOST, host),
        None => request,
    };
    let Ok(request) = request.body(Empty::new()) else { return false };
    let Ok(response) = client.request(request).await else { return false };
    let status = response.status();
    response.into_body().collect().await.is_ok() && !status.is_server_error()
}

impl Heard {
    fn of(answers: &[Answer]) -> Self {
        let mut good: Vec<&Answer> = answers.iter().filter(|answer| answer.good).collect();
        good.sort_by_key(|answer| answer.at);
        let gaps = good.windows(2).filter_map(|pair| match pair {
            [one, next] => Some(next.at - one.at),
            _ => None,
        });
        Self {
            requests: answers.len(),
            failed: answers.len() - good.len(),
            longest_gap_ms: milliseconds(gaps.max().unwrap_or_default()),
            slowest_ms: milliseconds(good.iter().map(|answer| answer.took).max().unwrap_or_default()),
        }
    }

    pub(super) fn in_words(&self) -> String {
        let Self { requests, failed, longest_gap_ms, slowest_ms } = self;
        format!(
            "of its own {requests} requests {failed} failed, the slowest took {slowest_ms} ms; longest time without a good \
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
        let answer = |at, good| Answer {
            at: began + Duration::from_millis(at),
            took: Duration::from_millis(at / 10),
            good,
        };
        let heard =
            Heard::of(&[answer(100, true), answer(150, false), answer(400, true), answer(300, false)]);
        assert_eq!(heard, Heard { requests: 4, failed: 2, longest_gap_ms: 300, slowest_ms: 40 });
    }
}
