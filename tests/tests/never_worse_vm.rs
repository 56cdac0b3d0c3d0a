//! The filter fails or changes: its proxy goes on.

use std::time::{Duration, Instant};

use serde_json::Value;
use steadfaas::standalone::Module;
use steadfaas_tests::bootstrap::write_listener;
use steadfaas_tests::load::Load;
use steadfaas_tests::record;
use steadfaas_tests::stage::{Function, Stage, bootstrap, bootstrap_with, panicking_module};
use tempfile::TempDir;

#[tokio::test]
async fn a_panic_costs_one_request_and_the_filter_is_back() -> anyhow::Result<()> {
    let fib = Function::new("fib", 2, "strategy: active-standby").await?;
    let module = Module::File(panicking_module()?);
    let stage = Stage::open(&bootstrap_with(&[&fib], module)?).await?;
    stage.wait_for_view(&fib).await?;
    let panicked = fib.get("/").header("x-steadfaas-test-panic", b"1")?.send(stage.target).await?;
    assert_eq!(panicked.status, 503, "{}", panicked.text());
    let waited = Instant::now();
    while fib.get("/").send(stage.target).await?.status != 200 {
        assert!(
            waited.elapsed() < Duration::from_secs(5),
            "still no answer {:?} after the panic",
            waited.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stage.all_answer(&fib, 20).await?;
    // It filters, not only passes: one replica has a role again, the other hardly a request.
    stage.wait_for_view(&fib).await?;
    stage.all_answer(&fib, 20).await?;
    let mut shares: Vec<_> = fib.replicas.iter().map(|replica| replica.ledger().count()).collect();
    shares.sort_unstable();
    assert!(shares[0] <= 1 && shares[1] >= 19, "{shares:?}");
    Ok(())
}

/// The text of the plugin's configuration, wherever the renderer has put the filter.
fn plugin_configuration(listener: &mut Value) -> Option<&mut Value> {
    let filters =
        listener.pointer_mut("/filter_chains/0/filters/0/typed_config/http_filters")?.as_array_mut()?;
    filters.iter_mut().find_map(|filter| filter.pointer_mut("/typed_config/config/configuration/value"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_of_the_filter_s_configuration_under_load_fails_no_request() -> anyhow::Result<()> {
    let folder = TempDir::with_prefix("listener-")?;
    let file = folder.path().join("listeners.json");
    let fib = Function::new("fib", 2, "strategy: active-standby").await?;
    let mut config = bootstrap(&[&fib])?;
    let mut listener = config.take_listener_from(&file)?;
    let stage = Stage::open(&config).await?;
    stage.wait_for_view(&fib).await?;
    let updates = "listener_manager.lds.update_success";
    let before = stage.envoy.stat(updates).await?;
    let mut load = Load::new(stage.target, 200.0, 3.0);
    load.host = Some(fib.host());
    let running = load.start().await?;
    running.reach(Duration::from_secs(1)).await;
    // The same with more words: another configuration to Envoy, which starts the filter anew with it.
    *plugin_configuration(&mut listener).expect("a plugin configuration") =
        r#"{"admin_cluster": "prometheus_stats", "response_header": false }"#.into();
    write_listener(&file, &listener)?;
    let outcomes = running.finish().await;
    assert_eq!(record::failed(&outcomes), 0, "{:?}", record::statuses(&outcomes));
    assert!(stage.envoy.stat(updates).await? > before, "Envoy has taken the update");
    Ok(())
}

#[tokio::test]
async fn a_wrong_configuration_of_the_filter_is_refused_and_the_old_one_stays() -> anyhow::Result<()> {
    let folder = TempDir::with_prefix("listener-")?;
    let file = folder.path().join("listeners.json");
    let fib = Function::new("fib", 2, "strategy: active-standby").await?;
    let mut config = bootstrap(&[&fib])?;
    let mut listener = config.take_listener_from(&file)?;
    let stage = Stage::open(&config).await?;
    stage.wait_for_view(&fib).await?;
    *plugin_configuration(&mut listener).expect("a plugin configuration") =
        r#"{"admin_clutser": "x"}"#.into();
    write_listener(&file, &listener)?;
    let waited = Instant::now();
    while stage.envoy.stat("listener_manager.lds.update_rejected").await? == 0 {
        assert!(waited.elapsed() < Duration::from_secs(10), "Envoy has not refused the update");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stage.all_answer(&fib, 10).await
}
