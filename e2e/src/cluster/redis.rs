//! A Redis for functions that keep something: this machine's own program, in a pod that keeps it in memory only.

use std::fs;
use std::time::Instant;

use anyhow::Context as _;
use steadfaas_tests::process::find_in_path;
use xtask::command::say;

use super::image::Image;
use super::images::NOBODY;
use super::kubectl::POD_SECONDS;
use super::node;
use super::running::Running;

/// What `up` and the record call it.
pub const LAYER: &str = "redis";

/// Where pods find it; `redis.yaml` says so.
pub const HOST: &str = "redis.redis:6379";

/// Its image; `redis.yaml` names it.
const IMAGE: &str = "dev.local/redis:1";

/// Its namespace, Deployment and Service.
const OBJECTS: &str = include_str!("../../cluster/redis.yaml");

/// Puts it on a cluster that doesn't have it.
///
/// # Errors
/// The program is missing and can't be installed, or doesn't start.
pub fn add(running: &Running) -> anyhow::Result<()> {
    if running.records()?.read().with.iter().any(|layer| layer == LAYER) {
        return Ok(());
    }
    xtask::redis::ensure()?;
    let began = Instant::now();
    let system = running.machine("system")?;
    let tarball = system.folder().join("redis.tar");
    let program = |name| find_in_path(name).with_context(|| format!("`{name}` isn't in PATH"));
    let image = Image::of_program(IMAGE, &program(xtask::redis::PROGRAM)?)?;
    // By the client in it the pod is asked: it comes with the same package.
    image.with_program("redis-cli", &program("redis-cli")?)?.user(NOBODY).write(&tarball)?;
    node::import(&system, &tarball)?;
    fs::remove_file(&tarball)?;
    let kubectl = running.kubectl();
    kubectl.apply(OBJECTS)?;
    kubectl.wait(&["--for=condition=Available", "--namespace=redis", "deployment/redis"], POD_SECONDS)?;
    running.records()?.add_layer(LAYER)?;
    say(&format!("Redis runs after {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}

/// What it answers to a command.
///
/// # Errors
/// It doesn't.
pub fn ask(running: &Running, command: &[&str]) -> anyhow::Result<String> {
    let words = ["exec", "--namespace=redis", "deployment/redis", "--", "/redis-cli"];
    let words: Vec<&str> = words.into_iter().chain(command.iter().copied()).collect();
    Ok(running.kubectl().run(&words)?.trim().to_owned())
}

/// Lets it forget everything, what it has counted too.
///
/// # Errors
/// It doesn't answer.
pub fn empty(running: &Running) -> anyhow::Result<()> {
    ask(running, &["FLUSHALL"])?;
    ask(running, &["CONFIG", "RESETSTAT"]).map(drop)
}
