//! An API server that is away, or throttles, or whose watches are gone without a word.

use std::time::Duration;

use steadfaas_tests::prometheus;

use super::{FUNCTIONS, Stage, seconds};
use crate::cluster::faults::Outage;
use crate::cluster::steadfaas;

/// So many functions are annotated just before, the others just after.
const BEFORE: usize = FUNCTIONS / 2;

/// What all functions ask for, one after the other, until a write is refused: whether two meet is a matter of milliseconds.
const ROUNDS: [&str; 4] = ["retry", "hedged", "retry", "hedged"];

/// It is killed while the controller writes, and comes back after a while.
pub(super) fn away(stage: &Stage<'_>, away: Duration) -> anyhow::Result<String> {
    let before = stage.functions.filters()?;
    stage.functions.annotate(0..BEFORE, "hedged")?;
    let outage = Outage::Stopped.strike(stage.running)?;
    std::thread::sleep(away);
    outage.undo()?;
    stage.functions.annotate(BEFORE..FUNCTIONS, "hedged")?;
    let took = stage.settle("hedged")?;
    stage.changed_once_since(&before)?;
    Ok(format!("for {}; right {} after it was back, each written once", seconds(away), seconds(took)))
}

/// It takes one request at a time and refuses all others, until writes of the controller were among them.
pub(super) fn throttled(stage: &Stage<'_>) -> anyhow::Result<String> {
    let outage = Outage::Throttled.strike(stage.running)?;
    for strategy in ROUNDS {
        let before = stage.functions.filters()?;
        stage.functions.annotate(0..FUNCTIONS, strategy)?;
        let took = stage.settle(strategy)?;
        stage.changed_once_since(&before)?;
        let refused = refused(stage)?;
        if refused > 0.0 {
            outage.undo()?;
            return Ok(format!(
                "right after {}, each written once; {refused} writes were refused with 429",
                seconds(took)
            ));
        }
    }
    anyhow::bail!("no write of the controller was refused: nothing was throttled")
}

/// How many writes of the controller were refused for being too many. Nobody else but administrators, who never are, applies
/// anything on the server's side.
fn refused(stage: &Stage<'_>) -> anyhow::Result<f64> {
    let metrics = stage.running.kubectl().run(&["get", "--raw", "/metrics"])?;
    Ok(prometheus::sum(&metrics, "apiserver_request_total", &[r#"code="429""#, r#"verb="APPLY""#]))
}

/// No packet of the controllers' connections gets through any more, and nobody tells them.
pub(super) fn silent(stage: &Stage<'_>) -> anyhow::Result<String> {
    let outage = Outage::Silent(steadfaas::NAMESPACE, steadfaas::PODS).strike(stage.running)?;
    let before = stage.functions.filters()?;
    stage.functions.annotate(0..FUNCTIONS, "active-standby")?;
    let took = stage.settle("active-standby")?;
    stage.changed_once_since(&before)?;
    outage.undo()?;
    Ok(format!("right after {}, each written once", seconds(took)))
}
