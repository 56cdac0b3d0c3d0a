//! `guestbook`: a function that keeps what it is sent, and must keep each entry once although some are sent to it twice.

use hyper::Method;
use steadfaas_tests::guestbook::TEXTS;
use steadfaas_tests::load::Load;
use steadfaas_tests::redis::calls;
use xtask::command::say;

use crate::annotated::Annotated;
use crate::behind_gateway::BehindGateway;
use crate::cluster::layers::Layer;
use crate::cluster::proxy::Proxy;
use crate::cluster::redis;
use crate::cluster::running::Running;
use crate::scenario::{Felt, Scene, Stage};

/// The function.
pub const FUNCTION: BehindGateway = BehindGateway {
    name: "guestbook",
    objects: include_str!("../guestbook/guestbook.yaml"),
    host: "guestbook.steadfaas-e2e.test",
    path: "/",
};

/// That function on an empty Redis, to which clients send entries.
#[derive(Clone, Copy)]
pub struct Guestbook {
    /// The function, protected by annotation.
    pub function: &'static Annotated,
}

impl Stage for Guestbook {
    fn layers(&self) -> &'static [Layer] {
        self.function.layers()
    }

    fn set(&self, running: &Running) -> anyhow::Result<Scene> {
        redis::empty(running)?;
        self.function.set(running)
    }

    fn load(&self, load: Load) -> Load {
        Load { method: Method::POST, body: "hello".into(), keyed: true, ..load }
    }

    fn protect(&self, running: &Running, scene: &Scene, keys: &[&str]) -> anyhow::Result<()> {
        self.function.protect(running, scene, keys)
    }

    fn unprotect(&self, running: &Running) -> anyhow::Result<()> {
        self.function.unprotect(running)
    }

    /// Each request left one entry. How often one was to be added, from within its script, Redis counts itself.
    fn check(&self, running: &Running, felt: &Felt) -> anyhow::Result<()> {
        let entries: usize = redis::ask(running, &["HLEN", TEXTS])?.parse()?;
        let additions = calls(&redis::ask(running, &["INFO", "commandstats"])?, "hsetnx")?;
        let requests = felt.outcomes.len();
        say(&format!("{requests} requests left {entries} entries, which were to be added {additions} times"));
        anyhow::ensure!(entries == requests, "{requests} requests left {entries} entries");
        Ok(())
    }

    fn clear(&self, running: &Running) -> anyhow::Result<()> {
        self.function.clear(running)
    }

    fn proxy(&self) -> Proxy {
        self.function.proxy()
    }
}
