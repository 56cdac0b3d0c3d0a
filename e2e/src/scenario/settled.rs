//! Waiting until the proxy does as istiod was told.

use std::time::{Duration, Instant};

use steadfaas_core::envoy::RESPONSE_HEADER;
use steadfaas_tests::client::{Ask, Reply};
use xtask::command::say;

use super::Scene;

/// istiod's settings are in use within half a second; the rest is for a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is asked whether they are.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// Waits until a request is answered as it should be: by the function, and with or without the header by which the
/// filter says that it was there.
pub(super) async fn wait(scene: &Scene, protected: bool) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let answer = Ask::get(&scene.host, &scene.path).send(scene.target).await;
        let as_told = |reply: &Reply| {
            reply.status.is_success() && reply.header(RESPONSE_HEADER).is_empty() != protected
        };
        if answer.as_ref().is_ok_and(as_told) {
            say(&format!("the proxy's settings are in use after {:.1} s", began.elapsed().as_secs_f64()));
            return Ok(());
        }
        anyhow::ensure!(began.elapsed() < PATIENCE, "the proxy doesn't do as it was told: {answer:?}");
        tokio::time::sleep(ASK_EVERY).await;
    }
}
