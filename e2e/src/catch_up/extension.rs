//! The EnvoyFilter with the filter is deleted, and made anew.

use std::time::Instant;

use super::{FUNCTIONS, Stage, seconds};
use crate::bare_functions::Filter;
use crate::cluster::steadfaas;

/// Kubernetes takes the functions' EnvoyFilters along, and the controller writes them again when there is one to go with.
pub(super) fn replaced(stage: &Stage<'_>) -> anyhow::Result<String> {
    let delete = ["delete", "envoyfilter", "--namespace=istio-system", "steadfaas"];
    stage.running.kubectl().run(&delete)?;
    let gone = stage.until("EnvoyFilters are left behind", |filters| filters.is_empty())?;
    let began = Instant::now();
    steadfaas::install(stage.running)?;
    stage.settle("active-standby")?;
    let goes_along = |filter: &Filter| filter.content.pointer("/owners/0/name") == Some(&"steadfaas".into());
    let owned = stage.functions.filters()?.values().filter(|filter| goes_along(filter)).count();
    anyhow::ensure!(owned == FUNCTIONS, "{owned} of {FUNCTIONS} EnvoyFilters go with the new one");
    Ok(format!(
        "the functions' own gone after {}, there again after {}",
        seconds(gone),
        seconds(began.elapsed())
    ))
}
